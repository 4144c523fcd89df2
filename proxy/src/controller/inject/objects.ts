import type { V1Container, V1Pod, V1PodSpec } from '@kubernetes/client-node'

/** An object of Kubernetes as it stands in JSON: fields of the client's class, without being an instance of it. */
export type Plain<T> = T extends Date
  ? T
  : T extends readonly (infer Element)[]
    ? Plain<Element>[]
    : T extends object
      ? { [Key in keyof T]: Plain<T[Key]> }
      : T

export type Pod = Plain<V1Pod>
export type PodSpec = Plain<V1PodSpec>
export type Container = Plain<V1Container>
