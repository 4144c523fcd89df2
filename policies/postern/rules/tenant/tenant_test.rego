package postern.rules.tenant_test

import data.postern.asked_test as asked
import data.postern.rules.tenant as rule

test_a_model_of_the_tenant_is_no_reason if {
	rule.deny == set() with input as asked.request with data.tenants as {"acme": {"models": ["small"]}}
}

test_another_model_is_denied if {
	rule.deny == {"model_not_allowed_for_tenant"} with input as asked.with_changes({"request": {"model": "large"}})
		with data.tenants as {"acme": {"models": ["small"]}, "*": {"models": ["*"]}}
}

test_the_star_is_for_tenants_without_an_entry if {
	rule.deny == set() with input as asked.request with data.tenants as {"*": {"models": ["small"]}}
}

test_without_a_star_they_are_denied if {
	rule.deny == {"tenant_unknown", "model_not_allowed_for_tenant"} with input as asked.request
		with data.tenants as {"other": {"models": ["*"]}}
}
