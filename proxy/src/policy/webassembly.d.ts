/** What this folder uses of WebAssembly: neither the es libraries nor Node's types declare it. */
declare namespace WebAssembly {
  interface MemoryDescriptor {
    /** Pages of 64 KiB. */
    readonly initial: number
    readonly maximum: number
  }
  interface Memory {
    readonly buffer: ArrayBuffer
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>
  }
  interface Module {
    /** Only the runtime makes one. */
    readonly __brand: unique symbol
  }
  const Module: {
    exports(module: Module): readonly { readonly name: string }[]
  }
  /** Rejects with CompileError. */
  function compile(bytes: Uint8Array): Promise<Module>
}
