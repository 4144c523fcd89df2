import type { Page } from './shell.ts'
import { h, type Tree } from './tree.ts'

export interface LoginView {
  /** Where to go after it, a path of ours. */
  readonly next: string
  readonly problem?: string
  /** The browser came from another site, so that it may hold a session that it did not show. */
  readonly fromElsewhere?: boolean
}

export const loginPage = ({ next, problem, fromElsewhere = false }: LoginView): Page => ({
  title: 'Sign in',
  here: '',
  main: [
    h(
      'div',
      { class: 'login' },
      h('p', { class: 'brand' }, 'Postern'),
      h('h1', {}, 'Sign in'),
      ...(problem === undefined ? [] : [h('p', { id: 'problem', class: 'problem', role: 'alert' }, problem)]),
      h(
        'form',
        { method: 'post', action: '/ui/login' },
        h('input', { type: 'hidden', name: 'next', value: next }),
        // Password managers file a password under a name.
        h('input', { name: 'username', value: 'postern', autocomplete: 'username', hidden: '' }),
        h(
          'p',
          {},
          h('label', { for: 'password' }, 'Password of this page'),
          h('input', {
            id: 'password',
            name: 'password',
            type: 'password',
            required: '',
            maxlength: 1024,
            autocomplete: 'current-password',
            ...(problem !== undefined && { 'aria-describedby': 'problem', 'aria-invalid': 'true' }),
          }),
        ),
        h('p', {}, h('button', { type: 'submit', class: 'main' }, 'Sign in')),
      ),
      ...(fromElsewhere ? [h('p', {}, 'Signed in already? ', h('a', { href: next }, 'Go on'), '.')] : []),
    ),
  ],
})

/** The page is off until somebody chooses a password: the admin port has none. */
export const offPage = (howTo: readonly string[]): Page => ({
  title: 'The page is off',
  here: '',
  main: [
    h(
      'div',
      { class: 'login' },
      h('p', { class: 'brand' }, 'Postern'),
      h('h1', {}, 'This page is off'),
      h(
        'p',
        {},
        'It shows who asked what model when, so it is only there behind a password. To switch it on:',
      ),
      h('ul', {}, ...howTo.map((line): Tree => h('li', {}, h('code', {}, line)))),
    ),
  ],
})

export const simplePage = (title: string, says: string): Page => ({
  title,
  here: '',
  main: [h('h1', {}, title), h('p', {}, says), h('p', {}, h('a', { href: '/ui' }, 'Overview'))],
})
