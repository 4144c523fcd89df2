import { hostname } from 'node:os'
import type { Config } from '../config/schema.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Order } from '../core/orders.ts'
import { eventSink, type EventSink } from '../respond/event-sink.ts'
import { falcoOut, toldOf, toldOfOrder, toldOfRate } from '../respond/falco-out.ts'
import { readOptional } from './files.ts'
import { given } from './given.ts'

type GuardEvents = NonNullable<NonNullable<Config['respond']>['events']>

/** As configured. The controller has fewer keys. */
export type Events = Omit<GuardEvents, 'headers' | 'lines' | 'namespace'> &
  Partial<Pick<GuardEvents, 'headers' | 'lines' | 'namespace'>>

/** Tells others what happened, in the shape of Falco. Never throws, never waits. */
export interface Teller {
  order(order: Order, step: Parameters<typeof toldOfOrder>[1]): void
  rate(...rate: Parameters<typeof toldOfRate>): void
  exchange(record: Parameters<typeof toldOf>[0]): void
  close(): Promise<void>
}

interface Instruments {
  readonly meter: Meter
  readonly log: Log
}

export const teller = (events: Events, instruments: Instruments): Teller => {
  const { namespace = '' } = events
  const here = { hostname: hostname(), namespace, pod: namespace === '' ? '' : hostname() }
  const sink = sinkOf(events, instruments)
  return {
    order: (order, step) => sink.send(falcoOut(here, toldOfOrder(order, step))),
    rate: (caller, refusals) => sink.send(falcoOut(here, toldOfRate(caller, refusals))),
    exchange: (record) => {
      for (const told of toldOf(record)) sink.send(falcoOut(here, told))
    },
    close: () => sink.close(),
  }
}

const sinkOf = (
  { url, headers = {}, tls, tokenFile, lines, maxQueue, timeoutMs }: Events,
  { meter, log }: Instruments,
): EventSink =>
  eventSink({
    ...given({ url: url === undefined ? undefined : new URL(url), tokenFile, lines }),
    ...{ maxQueue, timeoutMs },
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()])),
    ...given({
      tls:
        tls &&
        (() =>
          given({
            ca: readOptional(tls.caFile),
            cert: readOptional(tls.certFile),
            key: readOptional(tls.keyFile),
          })),
    }),
    meter,
    log,
  })
