/** How a server is told where to listen. `address` says what it wants to read there. */
export interface Bind {
  readonly kind: 'arg' | 'env'
  readonly name: string
  /** Other spellings of an argument. */
  readonly aliases?: readonly string[]
  readonly address: 'host' | 'host:port'
}

export interface ModelServer {
  readonly name: string
  /** Last parts of image names whose ENTRYPOINT is the server itself, so that `args` are its arguments. A longer name, after a dash, counts too. */
  readonly images: readonly string[]
  /** Words in a row in the command line. The first may have a folder before it. */
  readonly commands: readonly (readonly string[])[]
  /** Where it listens when nobody says. */
  readonly port: number
  readonly portArgs: readonly string[]
  /** All are needed. With an environment variable, an argument is changed only where it is written already. Empty: it cannot be told. */
  readonly binds: readonly Bind[]
  /** Why it cannot be told, for the warning. */
  readonly why?: string
}

const arg = (name: string, ...aliases: readonly string[]): Bind => ({
  kind: 'arg',
  name,
  aliases,
  address: 'host',
})
const HOST = [arg('--host')]
const PORT = ['--port']

/** Model servers by their own documentation; the first that fits counts. A new one is a row here. */
export const modelServers: readonly ModelServer[] = [
  {
    name: 'vLLM', // the command line beats its --config file
    images: ['vllm-openai'],
    commands: [['vllm', 'serve'], ['vllm.entrypoints.openai.api_server'], ['vllm.entrypoints.api_server']],
    port: 8000,
    portArgs: PORT,
    binds: HOST,
  },
  {
    // Its --hostname has the environment variable HOSTNAME, which Kubernetes sets to the name of the pod: no address, so it listens on all. Say it as an argument.
    name: 'Text Generation Inference',
    images: ['text-generation-inference', 'tgi'],
    commands: [['text-generation-launcher'], ['text-generation-router']],
    port: 80,
    portArgs: ['--port', '-p'],
    binds: [arg('--hostname')],
  },
  {
    name: 'Text Embeddings Inference',
    images: ['text-embeddings-inference'],
    commands: [['text-embeddings-router']],
    port: 80,
    portArgs: ['--port', '-p'],
    binds: [arg('--hostname')],
  },
  {
    name: 'Ollama',
    images: ['ollama'],
    commands: [['ollama', 'serve']],
    port: 11434,
    portArgs: [],
    binds: [{ kind: 'env', name: 'OLLAMA_HOST', address: 'host:port' }],
  },
  {
    name: 'llama.cpp', // an argument beats its environment variable, which its image sets to 0.0.0.0
    images: ['llama.cpp'],
    commands: [['llama-server'], ['llama', 'server']],
    port: 8080,
    portArgs: PORT,
    binds: [{ kind: 'env', name: 'LLAMA_ARG_HOST', address: 'host' }, arg('--host')],
  },
  {
    name: 'llama-cpp-python',
    images: [],
    commands: [['llama_cpp.server']],
    port: 8000,
    portArgs: PORT,
    binds: HOST,
  },
  {
    name: 'SGLang',
    images: [],
    commands: [
      ['sglang.launch_server'],
      ['sglang', 'serve'],
      ['sglang_router.launch_router'],
      ['sglang_router.launch_server'],
    ],
    port: 30000,
    portArgs: PORT,
    binds: HOST,
  },
  {
    name: 'LocalAI',
    images: ['localai', 'local-ai'],
    commands: [['local-ai']],
    port: 8080,
    portArgs: [],
    binds: [
      { kind: 'env', name: 'LOCALAI_ADDRESS', address: 'host:port' },
      { kind: 'arg', name: '--address', address: 'host:port' },
    ],
  },
  {
    name: 'Triton',
    images: [],
    commands: [['tritonserver']],
    port: 8000,
    portArgs: ['--http-port'],
    binds: [arg('--http-address'), arg('--grpc-address')], // metrics follow --http-address
  },
  {
    name: 'LMDeploy',
    images: [],
    commands: [['lmdeploy', 'serve', 'api_server']],
    port: 23333,
    portArgs: ['--server-port'],
    binds: [arg('--server-name')],
  },
  { name: 'TabbyAPI', images: ['tabbyapi'], commands: [], port: 5000, portArgs: PORT, binds: HOST },
  {
    name: 'Infinity',
    images: ['infinity'],
    commands: [['infinity_emb', 'v2']],
    port: 7997,
    portArgs: PORT,
    binds: [{ kind: 'env', name: 'INFINITY_HOST', address: 'host' }, arg('--host')],
  },
  {
    name: 'Xinference',
    images: [],
    commands: [['xinference-local']],
    port: 9997,
    portArgs: ['--port', '-p'],
    binds: [arg('--host', '-H')],
  },
  {
    name: 'TensorRT-LLM',
    images: [],
    commands: [['trtllm-serve']],
    port: 8000,
    portArgs: PORT,
    binds: HOST,
  },
  {
    name: 'Aphrodite',
    images: [],
    commands: [['aphrodite', 'run']],
    port: 2242,
    portArgs: PORT,
    binds: HOST,
  },
  { name: 'MLC LLM', images: [], commands: [['mlc_llm', 'serve']], port: 8000, portArgs: PORT, binds: HOST },
  {
    name: 'OpenVINO Model Server',
    images: [],
    commands: [['ovms']],
    port: 8000,
    portArgs: ['--rest_port'],
    binds: [arg('--rest_bind_address')],
  },
  {
    name: 'Ray Serve',
    images: [],
    commands: [
      ['serve', 'run'],
      ['ray', 'start'],
      ['serve', 'deploy'],
    ],
    port: 8000,
    portArgs: [],
    binds: [],
    why: 'Ray Serve takes its address from the http_options of its own configuration',
  },
  {
    name: 'NVIDIA NIM',
    images: [],
    commands: [['nim-llm']],
    port: 8000,
    portArgs: [],
    binds: [],
    why: 'NIM containers cannot be told to listen on loopback',
  },
]
