package infra.types_test

import data.infra.types

test_unknown_type_is_found if {
	some finding in types.deny with input as {"resource": {"aws_instance": {"x": {}}}}
	finding.resource == "aws_instance.x"
}

test_known_type_is_quiet if {
	count(types.deny) == 0 with input as {"resource": {"aws_s3_bucket": {"x": {}}}}
}

test_without_a_list_nothing_is_known if {
	given := {"resource": {"aws_s3_bucket": {"x": {}}}}
	count(types.deny) == 1 with input as given with data.reviewed_types as []
}
