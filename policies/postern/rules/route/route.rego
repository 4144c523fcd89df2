# METADATA
# title: Route
# description: A role lists the routes it may use.
package postern.rules.route

import data.postern.grants

# METADATA
# description: None of the caller's roles may use this route.
deny contains "route_not_allowed" if count(grants.on_route) == 0
