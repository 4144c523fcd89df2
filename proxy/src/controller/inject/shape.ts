import { z } from 'zod'
import { refuse } from './refuse.ts'

/**
 * How many of each a pod may have: far beyond any real one, and so few that comparing all with all is nothing. Kubernetes itself bounds
 * only the bytes, 3 MiB, of which a namespace's user could make minutes of work.
 */
const MOST = { containers: 128, ports: 256, words: 4096, env: 4096, mounts: 512, volumes: 1024, headers: 64 }

/** What the injector reads in a pod, as Kubernetes defines it. Keys that it does not read may be anything. */
const port = z.looseObject({
  name: z.string().nullish(),
  containerPort: z.number(),
  hostPort: z.number().nullish(),
  protocol: z.string().nullish(),
})

const target = z.looseObject({ port: z.union([z.number(), z.string()]), host: z.string().nullish() })
const http = target.extend({
  path: z.string().nullish(),
  scheme: z.string().nullish(),
  httpHeaders: z
    .array(z.looseObject({ name: z.string(), value: z.string() }))
    .max(MOST.headers)
    .nullish(),
})
const handler = {
  httpGet: http.nullish(),
  tcpSocket: target.nullish(),
  grpc: z.looseObject({ port: z.number(), service: z.string().nullish() }).nullish(),
}
const probe = z.looseObject({ ...handler, timeoutSeconds: z.number().nullish() }).nullish()
const hook = z.looseObject(handler).nullish()

/** Linux starts no program with a longer one. */
const word = z.string().max(131_072)

const container = z.looseObject({
  name: z.string(),
  image: z.string().nullish(),
  command: z.array(word).max(MOST.words).nullish(),
  args: z.array(word).max(MOST.words).nullish(),
  ports: z.array(port).max(MOST.ports).nullish(),
  env: z
    .array(z.looseObject({ name: z.string() }))
    .max(MOST.env)
    .nullish(),
  volumeMounts: z
    .array(z.looseObject({ name: z.string() }))
    .max(MOST.mounts)
    .nullish(),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z.looseObject({ postStart: hook, preStop: hook }).nullish(),
})

const texts = z.record(z.string(), z.string()).nullish()

const pod = z.looseObject({
  metadata: z.looseObject({ labels: texts, annotations: texts }).nullish(),
  spec: z.looseObject({
    containers: z.array(container).max(MOST.containers),
    initContainers: z.array(container).max(MOST.containers).nullish(),
    volumes: z
      .array(z.looseObject({ name: z.string() }))
      .max(MOST.volumes)
      .nullish(),
    terminationGracePeriodSeconds: z.number().nullish(),
  }),
})

/** The API server has checked pods at admission; files may hold anything. */
export const checkShape = (value: unknown): void => {
  const result = pod.safeParse(value)
  if (result.success) return
  const issue = result.error.issues[0]
  refuse(
    `This is no pod that can have a guard: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}.`,
  )
}
