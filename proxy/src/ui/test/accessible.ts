import type { Page } from 'puppeteer-core'

/** What a person with a screen reader, a keyboard or weak eyes would stumble over: rules of WCAG 2.2 AA that a program can check. */
export const barriers = async (page: Page): Promise<readonly string[]> =>
  (await page.evaluate(BARRIERS)) as readonly string[]

/** Runs in the page, as text, because the types of this project are those of Node. */
const BARRIERS = `(() => {
  const found = []
  const all = (selector) => [...document.querySelectorAll(selector)]
  const is = (holds, what) => { if (!holds) found.push(what) }
  const say = (element) => element.outerHTML.slice(0, 120)

  is(document.documentElement.lang === 'en', 'no language')
  is(document.title.length > 8, 'no title')
  is(all('main').length === 1, 'not one main')
  is(all('h1').length === 1, 'not one h1')
  let level = 0
  for (const heading of all('h1, h2, h3, h4')) {
    const next = Number(heading.tagName[1])
    is(next <= level + 1, 'heading skips a level: ' + say(heading))
    level = next
  }
  for (const field of all('input:not([type=hidden]):not([hidden]), select, textarea'))
    is(field.labels.length > 0 && field.labels[0].textContent.trim() !== '', 'no label: ' + say(field))
  for (const button of all('button, a, summary')) is(button.textContent.trim() !== '', 'no name: ' + say(button))
  for (const table of all('table')) {
    is(table.caption && table.caption.textContent !== '', 'no caption: ' + say(table))
    is(table.querySelector('thead th[scope=col]'), 'no column headers: ' + say(table))
    for (const row of table.tBodies[0].rows) is(row.querySelector('th[scope=row]'), 'no row header: ' + say(row))
    const width = table.tHead.rows[0].cells.length
    for (const row of table.tBodies[0].rows) is(row.cells.length === width, 'a cell is missing: ' + say(row))
  }
  for (const svg of all('svg:not([aria-hidden=true])')) {
    const names = (svg.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id))
    is(svg.getAttribute('role') === 'img' && names.length === 2 && names.every((one) => one?.textContent), 'no text: ' + say(svg))
  }
  const ids = all('[id]').map(({ id }) => id)
  is(new Set(ids).size === ids.length, 'an id is there twice: ' + ids.filter((id, i) => ids.indexOf(id) !== i))
  for (const area of all('[role=region], nav, section[aria-labelledby], form[role=search]')) {
    const by = area.getAttribute('aria-labelledby')
    is(area.getAttribute('aria-label') || document.getElementById(by)?.textContent, 'no name: ' + say(area))
  }
  for (const scroller of all('.scroll')) is(scroller.tabIndex === 0, 'out of reach of the keyboard: ' + say(scroller))
  is(document.scrollingElement.scrollWidth <= innerWidth, 'the page scrolls sideways')

  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1)
    context.fillStyle = colour
    context.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1]
  const ground = (element) => {
    const layers = []
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor))
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1])
  }
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    return 0.2126 * R + 0.7152 * G + 0.0722 * B
  }
  const ratio = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x)
    return (high + 0.05) / (low + 0.05)
  }
  const seen = new Set()
  const contrast = (element, colour, least) => {
    const behind = ground(element)
    const is = ratio(over(rgba(colour), behind), behind)
    const what = 'contrast ' + is.toFixed(2) + ' of ' + colour + ': ' + element.tagName + '.' + element.getAttribute('class')
    if (is < least && !seen.has(what)) { seen.add(what); found.push(what) }
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement
    if (texts.currentNode.data.trim() === '' || !element.checkVisibility() || element.closest('script, noscript, title, desc')) continue
    const style = getComputedStyle(element)
    const px = parseFloat(style.fontSize)
    const large = px >= 24 || (px >= 18.66 && Number(style.fontWeight) >= 700)
    contrast(element, element.closest('svg') ? style.fill : style.color, large ? 3 : 4.5)
  }
  for (const mark of all('.bar, .rank')) contrast(mark, getComputedStyle(mark).fill, 3)
  for (const mark of all('.curve')) contrast(mark, getComputedStyle(mark).stroke, 3)
  for (const field of all('input:not([hidden]), select, button')) if (field.checkVisibility()) contrast(field.parentElement, getComputedStyle(field).borderTopColor, 3)
  for (const target of all('button, input:not([type=hidden]):not([hidden]), select')) {
    if (!target.checkVisibility()) continue
    const { width, height } = target.getBoundingClientRect()
    is(width >= 24 && height >= 24, 'too small to hit: ' + say(target))
  }
  return found
})()`
