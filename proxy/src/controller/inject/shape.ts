import { z } from 'zod'
import { refuse } from './refuse.ts'

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
  httpHeaders: z.array(z.looseObject({ name: z.string(), value: z.string() })).nullish(),
})
const handler = {
  httpGet: http.nullish(),
  tcpSocket: target.nullish(),
  grpc: z.looseObject({ port: z.number(), service: z.string().nullish() }).nullish(),
}
const probe = z.looseObject({ ...handler, timeoutSeconds: z.number().nullish() }).nullish()
const hook = z.looseObject(handler).nullish()

const container = z.looseObject({
  name: z.string(),
  image: z.string().nullish(),
  command: z.array(z.string()).nullish(),
  args: z.array(z.string()).nullish(),
  ports: z.array(port).nullish(),
  env: z.array(z.looseObject({ name: z.string() })).nullish(),
  volumeMounts: z.array(z.looseObject({ name: z.string() })).nullish(),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z.looseObject({ postStart: hook, preStop: hook }).nullish(),
})

const texts = z.record(z.string(), z.string()).nullish()

const pod = z.looseObject({
  metadata: z.looseObject({ labels: texts, annotations: texts }).nullish(),
  spec: z.looseObject({
    containers: z.array(container),
    initContainers: z.array(container).nullish(),
    volumes: z.array(z.looseObject({ name: z.string() })).nullish(),
    terminationGracePeriodSeconds: z.number().nullish(),
  }),
})

/** The API server has checked pods at admission; files may hold anything. */
export const checkShape = (value: unknown): void => {
  const result = pod.safeParse(value)
  if (result.success) return
  const issue = result.error.issues[0]
  refuse(`This is no pod: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}.`)
}
