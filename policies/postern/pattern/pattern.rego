# METADATA
# title: Pattern
# description: Names in policy data are exact, or have one `*` that stands for any characters, none included.
package postern.pattern

# METADATA
# description: True when one of `patterns` covers `name`.
# scope: document
covers(patterns, name) if name in patterns

covers(patterns, name) if {
	some pattern in patterns
	[before, after] := split(pattern, "*")
	startswith(name, before)
	endswith(name, after)
	count(name) >= count(before) + count(after)
}
