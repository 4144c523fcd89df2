import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import puppeteer, { type Page } from 'puppeteer-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** The browser of this machine; undefined when it has none. */
export const chromium = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

export interface Opened {
  readonly page: Page
  /** Console messages above `log`, page errors, failed and foreign requests, breaches of the content security policy. */
  readonly complaints: string[]
  /** Where screenshots go. */
  readonly folder: string
  close(): Promise<void>
}

/** A fresh browser that may only talk to `origin`. Screenshots are kept where POSTERN_SCREENSHOTS says, else thrown away. */
export const openBrowser = async (origin: string): Promise<Opened> => {
  const kept = process.env['POSTERN_SCREENSHOTS']
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'postern-page-'))
  const browser = await puppeteer.launch({
    executablePath: chromium ?? '',
    // The sandbox of Chromium does not start as root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (!['log', 'info'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/ui`)) complaints.push(`asked for ${request.url()}`)
  })
  // As an error of the page, which is collected above.
  await page.evaluateOnNewDocument(`document.addEventListener('securitypolicyviolation', (event) =>
    setTimeout(() => { throw new Error('policy: ' + event.violatedDirective + ' ' + event.blockedURI) }))`)
  await page.setViewport({ width: 1280, height: 900 })
  return {
    page,
    complaints,
    folder,
    close: async () => {
      await browser.close()
      if (kept === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
