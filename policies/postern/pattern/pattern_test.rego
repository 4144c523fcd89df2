package postern.pattern_test

import data.postern.pattern

test_a_name_covers_itself_alone if {
	pattern.covers(pattern.parts(["get"]), "get")
	not pattern.covers(pattern.parts(["get"]), "get_all")
	not pattern.covers(pattern.parts(["get"]), "GET")
	not pattern.covers(pattern.parts(["get"]), "")
}

test_a_star_stands_for_any_characters if {
	pattern.covers(pattern.parts(["*"]), "")
	pattern.covers(pattern.parts(["*"]), "openai.chat")
	pattern.covers(pattern.parts(["get_*"]), "get_")
	pattern.covers(pattern.parts(["*_all"]), "get_all")
	pattern.covers(pattern.parts(["gpt-*-mini"]), "gpt-4-mini")
	pattern.covers(pattern.parts(["no", "get_*"]), "get_weather\nnow")
}

test_the_star_does_not_share_characters if not pattern.covers(pattern.parts(["aba*ba"]), "aba")

test_the_rest_must_fit if {
	not pattern.covers(pattern.parts(["get_*"]), "forget_it")
	not pattern.covers(pattern.parts(["*_all"]), "all")
	not pattern.covers(pattern.parts([]), "get")
}

test_more_than_one_star_covers_nothing if not pattern.covers(pattern.parts(["*shell*"]), "a_shell_b")
