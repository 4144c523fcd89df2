// Keeps a page up to date. Elements come as [tag, attributes, children] and are made one by one: no text is ever read as markup.
const SVG = 'http://www.w3.org/2000/svg'
const MAX_ROWS = 200
const ASK_MS = 5000

const make = (tree, inSvg = false) => {
  if (typeof tree === 'string') return document.createTextNode(tree)
  const [tag, attributes, children] = tree
  const svg = inSvg || tag === 'svg'
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  for (const child of children) element.append(make(child, svg))
  return element
}

/** In the place of the element with the same id; what was unfolded stays so, and the focus stays where it was. */
const replace = (tree) => {
  const old = document.getElementById(tree[1].id)
  if (!old) return
  const unfolded = [...old.querySelectorAll('details[open][id]')].map(({ id }) => id)
  const focus = old.contains(document.activeElement) ? placeOf(document.activeElement, old) : undefined
  const scrolled = [...old.querySelectorAll('.scroll')].map(({ scrollLeft }) => scrollLeft)
  old.replaceWith(make(tree))
  const now = document.getElementById(tree[1].id)
  for (const id of unfolded) document.getElementById(id)?.setAttribute('open', '')
  for (const [at, one] of [...now.querySelectorAll('.scroll')].entries()) one.scrollLeft = scrolled[at] ?? 0
  if (focus) [...now.querySelectorAll(FOCUSABLE)].find((one) => placeOf(one, now) === focus)?.focus()
}

const FOCUSABLE = 'a, button, summary, [tabindex]'

/** A link by where it goes; anything else by its number. */
const placeOf = (element, root) =>
  element.getAttribute('href') ?? String([...root.querySelectorAll(FOCUSABLE)].indexOf(element))

const show = ({ rows, parts, more }) => {
  for (const part of parts) replace(part)
  const body = document.getElementById('rows')
  if (!body || rows.length === 0) return
  const made = rows.map((row) => make(row))
  for (const row of made) row.classList.add('new')
  body.prepend(...made)
  while (body.rows.length > MAX_ROWS) body.lastElementChild.remove()
  if (more) say('Live. There were too many to show them all.')
}

const query = document.body.dataset.live
const status = document.getElementById('live')
const pause = document.getElementById('pause')

const say = (text) => {
  if (status.textContent !== text) status.textContent = text
}

let after = new URLSearchParams(query ?? '').get('after') ?? '0'
let events
let asking
let stopped = false

const address = (path) => {
  const asked = new URLSearchParams(query)
  asked.set('after', after)
  return `${path}?${asked}`
}

const take = (news) => {
  after = String(news.after)
  show(news)
}

const listen = () => {
  events = new EventSource(address('/ui/events'))
  events.onopen = () => say('Live')
  events.onmessage = ({ data }) => take(JSON.parse(data))
  events.onerror = () => {
    // The browser tries again by itself, unless the answer was no.
    if (events.readyState === EventSource.CLOSED) ask()
    else say('Connection lost, trying again')
  }
}

/** Where streams do not get through, or are too many. */
const ask = async () => {
  clearTimeout(asking)
  if (stopped) return
  try {
    const answer = await fetch(address('/ui/live'), { cache: 'no-store' })
    if (answer.status === 401) return location.reload()
    take(await answer.json())
    say(`Asking every ${ASK_MS / 1000} seconds`)
  } catch {
    say('Connection lost, trying again')
  }
  if (!stopped) asking = setTimeout(ask, ASK_MS)
}

const start = () => {
  stopped = false
  if ('EventSource' in window) listen()
  else ask()
}

const stop = (why) => {
  stopped = true
  events?.close()
  clearTimeout(asking)
  say(why)
}

if (query !== undefined && status && pause) {
  pause.hidden = false
  pause.addEventListener('click', () => {
    const pausing = pause.getAttribute('aria-pressed') !== 'true'
    pause.setAttribute('aria-pressed', String(pausing))
    if (pausing) stop('Paused')
    else start()
  })
  // A page that nobody sees costs the guard nothing.
  document.addEventListener('visibilitychange', () => {
    if (pause.getAttribute('aria-pressed') === 'true') return
    if (document.hidden) stop('Resting')
    else if (stopped) start()
  })
  // A page that the browser put aside must not be shown to the next person after signing out.
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload())
  if (!document.hidden) start()
}
