/** What stands between a name and its value in code, configuration and JSON; without the quote before the value. */
export const EQUALS = '["\']?\\]?\\s{0,3}(?:=>|:=|===?|!==?|:|=)\\s{0,3}'

export const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/** Prefix: a setting that belongs to a service, such as `DATADOG_API_KEY="`. `service` is a pattern in lower case. */
export const settingOf = (service: string): string => `(?:${service})[a-z0-9_ .-]{0,24}${EQUALS}["'\`]?`

/** Prefix: words that announce a number to people, such as `Passport No: `. `words` is a pattern in lower case. */
export const labelled = (words: string): string =>
  `(?:${words})(?:[ _-](?:number|num|no\\.?|nr\\.?|id|code))?(?: is)?["']?\\s{0,2}[:=#]?\\s{0,3}["']?`
