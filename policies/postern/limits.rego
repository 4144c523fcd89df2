package postern

import data.postern.rates

# METADATA
# title: Limits
# description: Undefined, and so refused by the guard, when policy data has no entry that fits.
# entrypoint: true
# schemas:
#   - input: schema.limits_input
limits := {"caller": rates.caller, "tenant": rates.tenant, "model": rates.model}
