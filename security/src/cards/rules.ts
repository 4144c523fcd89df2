import type { Rule } from '../lint/rules.ts'

const supply = { owasp: 'LLM03:2025', cwe: 1357 } as const
const misuse = { owasp: 'LLM09:2025', cwe: 1059 } as const

/** What a model card owes its readers; fields as the Hugging Face hub reads them, sections as in Mitchell et al. (2019). */
export const cardRules = {
  'card-front-matter': {
    ...supply,
    level: 'error',
    title: 'The card has no metadata',
    why: 'Nothing can be checked or searched by machine.',
    fix: 'Begin the file with YAML between two lines of ---.',
  },
  'card-license': {
    ...supply,
    level: 'error',
    title: 'No licence',
    why: 'Without one nobody may use the model.',
    fix: 'Set license to an SPDX id or to other with license_name and license_link.',
  },
  'card-base-model': {
    ...supply,
    level: 'warning',
    title: 'The origin of the weights is not said',
    why: 'What the base model was trained on and may do is part of this one.',
    fix: 'Set base_model, or say in the text that it was trained from scratch.',
  },
  'card-datasets': {
    ...supply,
    level: 'warning',
    title: 'Training data is not named',
    why: 'Poisoning, rights and bias cannot be judged. EU AI Act, Annex XI 1(2)(c) asks for type, provenance and curation.',
    fix: 'List datasets in the metadata, or describe the training data in a section.',
  },
  'card-language': {
    ...misuse,
    level: 'note',
    title: 'The languages are not named',
    why: 'Safety and quality differ by language.',
    fix: 'Set language to ISO 639 codes.',
  },
  'card-metrics': {
    ...misuse,
    level: 'warning',
    title: 'No measured results',
    why: 'Claims without figures cannot be compared or repeated.',
    fix: 'Add model-index with task, dataset and metrics, or a section on evaluation.',
  },
  'card-model-index': {
    ...misuse,
    level: 'error',
    title: 'model-index is not in its form',
    why: 'The hub and other readers pass it over.',
    fix: 'Each entry: name and results with task.type, dataset.name, dataset.type and metrics of type and value.',
  },
  'card-intended-use': {
    ...misuse,
    level: 'warning',
    title: 'Intended use is not said',
    why: 'Users cannot tell what it was made and tested for. EU AI Act, Annex XI 1(1)(a) and XII 1(a).',
    fix: 'Add a section on intended use, and on what is out of scope.',
  },
  'card-limits': {
    ...misuse,
    level: 'warning',
    title: 'Limits and risks are not said',
    why: 'Those who build on it cannot guard against what they are not told. EU AI Act, Annex XII.',
    fix: 'Add a section on limitations, bias and risks.',
  },
  'card-training': {
    ...misuse,
    level: 'note',
    title: 'How it was trained is not said',
    why: 'EU AI Act, Annex XI 1(2)(b) asks general-purpose models for method, choices and what they optimise.',
    fix: 'Add a section on the training procedure.',
  },
  'card-compute': {
    ...misuse,
    level: 'note',
    title: 'Compute and energy are not said',
    why: 'EU AI Act, Annex XI 1(2)(d) and (e): compute used and known or estimated energy.',
    fix: 'Add training compute (FLOPs, hours, hardware) and energy or co2_eq_emissions.',
  },
  'card-contact': {
    ...misuse,
    level: 'note',
    title: 'Nobody to write to',
    why: 'A weakness that is found has nowhere to go.',
    fix: 'Add a contact and how to report a vulnerability.',
  },
  'card-placeholder': {
    ...misuse,
    level: 'warning',
    title: 'A part of the template was not filled in',
    why: 'It looks answered and is not.',
    fix: 'Fill it in or take it out.',
  },
  'card-remote-code': {
    owasp: 'LLM03:2025',
    cwe: 829,
    level: 'warning',
    title: 'The card tells readers to trust remote code',
    why: 'Whoever copies the example runs whatever the repository holds that day.',
    fix: 'Pin a revision in the example and say what the code does.',
  },
  'card-pickle': {
    owasp: 'LLM03:2025',
    cwe: 502,
    level: 'warning',
    title: 'The card tells readers to load pickled weights',
    why: 'Loading them can run code.',
    fix: 'Publish safetensors and use them in the example.',
  },
  'card-secret': {
    owasp: 'LLM02:2025',
    cwe: 798,
    level: 'error',
    title: 'A credential stands in the card',
    why: 'Cards are public.',
    fix: 'Revoke it and take it out.',
  },
} as const satisfies Record<string, Rule>
