# METADATA
# title: Asked
# description: Inputs and policy data for the tests.
package postern.asked_test

# METADATA
# description: A plain request of a user.
request := {
	"stage": "request",
	"caller": {"subject": "ann", "tenant": "acme", "roles": ["user"], "scopes": [], "via": "jwt:corp"},
	"request": {
		"route": "openai.chat",
		"model": "small",
		"stream": false,
		"tools": [],
		"params": {},
		"extras": [],
	},
	"findings": [],
}

# METADATA
# description: A request that differs from the plain one, in objects key by key.
with_changes(changes) := object.union(request, changes)

# METADATA
# description: What one rule found in one kind of text.
finding(rule, category, score) := {
	"rule": rule,
	"category": category,
	"role": "user",
	"channel": "message",
	"score": score,
	"count": 1,
}

# METADATA
# description: Two roles that differ in everything.
roles := {
	"user": {
		"routes": ["openai.chat", "openai.models"],
		"models": ["small"],
		"tools": ["get_*"],
		"extras": [],
		"params": {"n": 1, "max_tokens": 100, "top_logprobs": 0, "stop": 1, "logit_bias": 0},
	},
	"developer": {
		"routes": ["openai.*"],
		"models": ["*"],
		"tools": ["*"],
		"extras": ["min_p"],
		"params": {"n": 4, "max_tokens": 1000, "top_logprobs": 20, "stop": 4, "logit_bias": 300},
	},
	"embedder": {
		"routes": ["openai.embeddings"],
		"models": ["large"],
		"tools": ["*"],
		"extras": ["*"],
		"params": {"n": 9, "max_tokens": 9000, "top_logprobs": 20, "stop": 9, "logit_bias": 900},
	},
}
