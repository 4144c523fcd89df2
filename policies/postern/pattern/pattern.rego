# METADATA
# title: Pattern
# description: Names in policy data are exact, or have one `*` that stands for any characters, none included.
package postern.pattern

# METADATA
# description: Patterns taken apart at their `*`, for `covers`; apart from it because one list often meets many names.
parts(patterns) := {split(pattern, "*") | some pattern in patterns}

# METADATA
# description: True when one of the patterns covers `name`.
# scope: document
covers(patterns, name) if [name] in patterns

covers(patterns, name) if {
	some [before, after] in patterns
	startswith(name, before)
	endswith(name, after)
	count(name) >= count(before) + count(after)
}
