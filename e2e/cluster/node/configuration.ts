import { stringify } from 'yaml'

/** Documentation addresses (RFC 5737): the two ends of the one link between the machine and the node. */
export const HOST_IP = '198.51.100.5'
export const NODE_IP = '198.51.100.6'
export const API_PORT = 6443
export const DNS_IP = '10.96.0.10'
const POD_CIDR = '10.244.0.0/16'

/** Inside the node's own mount namespace. */
export const CONTAINERD = '/run/containerd/containerd.sock'
export const CGROUP = 'postern-e2e'

/** The files that the node's programs read, by name. `folder` holds them and what the node writes. */
export const configuration = (folder: string, pauseImage: string): Readonly<Record<string, string>> => ({
  'containerd.toml': `version = 2
root = "${folder}/containerd"
state = "/run/containerd"
[grpc]
  address = "${CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Lowering oom_score_adj takes CAP_SYS_RESOURCE, which a guest may lack.
  restrict_oom_score_adj = true
  # As containerd 2 does: who is not root may listen on port 53 or 443 of its own pod.
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/conf/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`,
  // Point to point, not a bridge: the node routes every packet between pods, so that Service rules and policies see it.
  'cni/10-pods.conflist': JSON.stringify({
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: '/run/cni',
          ranges: [[{ subnet: '10.244.0.0/24' }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }),
  'no-resolv.conf': '',
  'kubelet.yaml': stringify(kubelet(folder)),
  'proxy.yaml': stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: `${folder}/pki/proxy.kubeconfig` },
    hostnameOverride: 'node',
    clusterCIDR: POD_CIDR,
    // The limits of the connection table belong to the first network namespace; here they may not be written.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    oomScoreAdj: 0,
  }),
})

const kubelet = (folder: string) => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: `${folder}/pki/ca.crt` },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: `${folder}/pki/kubelet-server.crt`,
  tlsPrivateKeyFile: `${folder}/pki/kubelet-server.key`,
  containerRuntimeEndpoint: `unix://${CONTAINERD}`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${CGROUP}`,
  // This kubelet refuses cgroup v1 unless told.
  failCgroupV1: false,
  failSwapOn: false,
  oomScoreAdj: 0,
  clusterDNS: [DNS_IP],
  clusterDomain: 'cluster.local',
  resolvConf: `${folder}/conf/no-resolv.conf`,
  // An image that was collected could not be pulled again.
  imageGCHighThresholdPercent: 100,
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '1%',
    'nodefs.inodesFree': '1%',
    'imagefs.available': '1%',
    'imagefs.inodesFree': '1%',
  },
  serializeImagePulls: false,
  // ConfigMaps and Secrets reach pods within this time instead of a minute.
  syncFrequency: '5s',
})

/** What makes a fresh set of namespaces a node; run by sh inside of them. */
export const preparation = (folder: string, cgroupRoots: readonly string[], serviceCidr: string): string => `
hostname node
mount --make-rshared /
mkdir -p /var/lib/kubelet /var/lib/cni ${folder}/kubelet
for place in /run /var/log /var/lib/cni; do mount -t tmpfs -o mode=755 tmpfs $place; done
mkdir -p /run/containerd /run/lock
mount --bind ${folder}/kubelet /var/lib/kubelet
mkdir -p ${cgroupRoots.map((root) => `${root}/${CGROUP}`).join(' ')}
ip link set lo up
ip address add ${NODE_IP}/30 dev eth0
ip link set eth0 up
# A Service address needs some route before rules rewrite it. There is no route to anywhere else.
ip route add ${serviceCidr} dev eth0 src ${NODE_IP}
echo 1 >/proc/sys/net/ipv4/ip_forward
`
