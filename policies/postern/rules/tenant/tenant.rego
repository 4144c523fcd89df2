# METADATA
# title: Tenant
# description: A tenant lists the models its callers may use. The entry `*` is for tenants without their own.
package postern.rules.tenant

import data.postern.pattern

# METADATA
# description: The tenant may use this model.
# scope: document
deny contains "tenant_unknown" if not _tenant

deny contains "model_not_allowed_for_tenant" if not _allowed

_allowed if pattern.covers(pattern.parts(_tenant.models), input.request.model)

_tenant := data.tenants[input.caller.tenant]

_tenant := data.tenants["*"] if not data.tenants[input.caller.tenant]
