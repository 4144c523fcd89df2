package postern.pattern_test

import data.postern.pattern

test_a_name_covers_itself_alone if {
	pattern.covers(["get"], "get")
	not pattern.covers(["get"], "get_all")
	not pattern.covers(["get"], "GET")
	not pattern.covers(["get"], "")
}

test_a_star_stands_for_any_characters if {
	pattern.covers(["*"], "")
	pattern.covers(["*"], "openai.chat")
	pattern.covers(["get_*"], "get_")
	pattern.covers(["*_all"], "get_all")
	pattern.covers(["gpt-*-mini"], "gpt-4-mini")
	pattern.covers(["no", "get_*"], "get_weather\nnow")
}

test_the_star_does_not_share_characters if not pattern.covers(["aba*ba"], "aba")

test_the_rest_must_fit if {
	not pattern.covers(["get_*"], "forget_it")
	not pattern.covers(["*_all"], "all")
	not pattern.covers([], "get")
}

test_more_than_one_star_covers_nothing_but_itself if not pattern.covers(["*shell*"], "a_shell_b")
