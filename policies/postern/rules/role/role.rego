# METADATA
# title: Role
# description: A caller needs a role that policy data knows.
package postern.rules.role

import data.postern.grants

# METADATA
# description: Nobody is allowed anything for being authenticated alone.
deny contains "role_missing" if count(grants.known) == 0
