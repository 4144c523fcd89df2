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
  'content',
  'attributionsrc',
  'values',
  'to',
  'from',
])

/** Attributes that are CSS: of HTML all of it, of SVG a property each. */
export const STYLE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'style',
  'fill',
  'stroke',
  'filter',
  'mask',
  'clip-path',
  'cursor',
  'marker',
  'marker-start',
  'marker-mid',
  'marker-end',
])

/** Whose `href` is fetched at once; of other elements it is a link, which a person follows. */
export const LOADING_HREF: ReadonlySet<string> = new Set([
  'link',
  'image',
  'feimage',
  'use',
  'script',
  'pattern',
  'lineargradient',
  'radialgradient',
  'filter',
  'textpath',
  'mpath',
  'tref',
  'cursor',
  'font-face-uri',
  'color-profile',
])
