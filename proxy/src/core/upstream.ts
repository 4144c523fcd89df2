/** What is sent to a model server: built by the guard, never the bytes received. */
export interface ModelRequest {
  /** Model name as the policy allowed it; picks the upstreams. */
  readonly model: string
  /** Path of the model API below the upstream's base URL, such as `/v1/chat/completions`. */
  readonly path: string
  /** Given the name that the chosen upstream has for the model; returns the JSON body. Called once per attempt. */
  readonly body: (upstreamModel: string) => string
  readonly stream: boolean
  /** Allow-listed headers of the client, lower case, plus `traceparent`. */
  readonly headers: Readonly<Record<string, string>>
}

/** A version of a model as the registry has it. */
export interface ModelVersion {
  /** Name in the registry. */
  readonly name: string
  readonly version: string
  /** SHA-256 of the signed files, in hex; empty when the registry knows none. */
  readonly digest: string
  /** Who signed it, as verified when it was registered; empty when nobody did. */
  readonly signer: string
}

export interface ModelReply {
  readonly status: number
  /** Lower case; only the ones that may be passed on or that the guard reads. */
  readonly headers: Readonly<Record<string, string>>
  /** Bytes as they come, under idle and total deadlines and the size bound. Throws Refusal `model_unavailable`, `model_timeout` or `model_answer_invalid`. */
  readonly body: AsyncIterable<Uint8Array>
  /** Name of the upstream that answered. */
  readonly upstream: string
  /** Which version answered; undefined where no alias of a registry is followed. */
  readonly version?: ModelVersion
}

export interface Models {
  /** Names that a request may ask for, sorted. */
  readonly names: readonly string[]
  /** The configured name that a model falls under, such as `llama-*`: a label that no caller can choose. */
  listed(model: string): string | undefined
  /** Throws Refusal `model_unknown`, `model_unavailable` or `model_timeout`. Aborting cancels the call to the model server. */
  call(request: ModelRequest, signal: AbortSignal): Promise<ModelReply>
  unready(): string | undefined
  close(): Promise<void>
}
