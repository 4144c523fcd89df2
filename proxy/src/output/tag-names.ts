/** Elements that run code, load a page, or change where a page leads. */
export const ACTIVE_ELEMENTS: ReadonlySet<string> = new Set([
  'script',
  'iframe',
  'frame',
  'frameset',
  'object',
  'embed',
  'applet',
  'base',
  'portal',
  'fencedframe',
  'style',
])

/** Attributes whose address a browser fetches, or goes to, without or with one click. */
export const ADDRESS_ATTRIBUTES: ReadonlySet<string> = new Set([
  'src',
  'srcset',
  'imagesrcset',
  'poster',
  'background',
  'data',
  'dynsrc',
  'lowsrc',
  'href',
  'xlink:href',
  'action',
  'formaction',
  'ping',
  'manifest',
  'style',
  'content',
  'values',
  'to',
  'from',
])

/** Whose `href` is fetched at once; of other elements it is a link, which a person follows. */
export const LOADING_HREF: ReadonlySet<string> = new Set(['link', 'image', 'feimage', 'use', 'script'])
