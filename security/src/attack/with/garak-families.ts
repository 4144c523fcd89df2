import type { Family } from '../attack.ts'

/** Which row of our report a module of garak's probes belongs to. */
export const familiesOfProbes: Readonly<Record<string, Family>> = {
  dan: 'jailbreak',
  grandma: 'jailbreak',
  adaptive_attacks: 'jailbreak',
  doctor: 'jailbreak',
  dra: 'jailbreak',
  suffix: 'jailbreak',
  tap: 'jailbreak',
  encoding: 'encoding_smuggling',
  badchars: 'encoding_smuggling',
  // Its probe Tag hides an order in tag characters.
  goodside: 'encoding_smuggling',
  smuggling: 'encoding_smuggling',
  promptinject: 'direct_injection',
  latentinjection: 'indirect_injection',
  leakreplay: 'secret_leakage',
  apikey: 'secret_leakage',
  sysprompt_extraction: 'system_prompt_extraction',
  web_injection: 'output_handling',
  xss: 'output_handling',
  exploitation: 'output_handling',
  ansiescape: 'output_handling',
  divergence: 'token_flood',
}
