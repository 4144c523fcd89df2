import { join } from 'node:path'
import { bin } from './folders.ts'

export const SERVICE_CIDR = '10.96.0.0/16'

export interface ControlPlane {
  /** State of this cluster; certificates lie in `pki` below it. */
  readonly folder: string
  /** The address that the API server tells others, and the one it listens on. */
  readonly host: string
  readonly bind: string
  readonly port: number
  readonly etcdPort: number
  readonly etcdPeerPort: number
  readonly issuer: string
}

const flags = (values: Readonly<Record<string, string | number>>): readonly string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`)

export const etcd = ({ folder, etcdPort, etcdPeerPort }: ControlPlane): readonly string[] => {
  const client = `http://127.0.0.1:${etcdPort}`
  const peer = `http://127.0.0.1:${etcdPeerPort}`
  return [
    join(bin, 'etcd'),
    '--unsafe-no-fsync',
    ...flags({
      name: 'etcd',
      'data-dir': join(folder, 'etcd'),
      'log-level': 'warn',
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `etcd=${peer}`,
    }),
  ]
}

/** Kubernetes' own default admission, and NodeRestriction; Node and RBAC authorization. */
export const apiServer = (plane: ControlPlane): readonly string[] => {
  const pki = (name: string): string => join(plane.folder, 'pki', name)
  return [
    join(bin, 'kube-apiserver'),
    '--allow-privileged',
    ...flags({
      'etcd-servers': `http://127.0.0.1:${plane.etcdPort}`,
      'bind-address': plane.bind,
      'advertise-address': plane.host,
      'secure-port': plane.port,
      'endpoint-reconciler-type': plane.bind === '127.0.0.1' ? 'none' : 'lease',
      'tls-cert-file': pki('apiserver.crt'),
      'tls-private-key-file': pki('apiserver.key'),
      'client-ca-file': pki('ca.crt'),
      'service-account-issuer': plane.issuer,
      'service-account-signing-key-file': pki('sa.key'),
      'service-account-key-file': pki('sa.pub'),
      'service-cluster-ip-range': SERVICE_CIDR,
      'authorization-mode': 'Node,RBAC',
      'enable-admission-plugins': 'NodeRestriction',
      // Kubelets are dialled by host name first, which nothing resolves here.
      'kubelet-preferred-address-types': 'InternalIP',
      'kubelet-certificate-authority': pki('ca.crt'),
      'kubelet-client-certificate': pki('kubelet-client.crt'),
      'kubelet-client-key': pki('kubelet-client.key'),
      'requestheader-client-ca-file': pki('front-proxy-ca.crt'),
      'requestheader-allowed-names': 'front-proxy-client',
      'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
      'requestheader-group-headers': 'X-Remote-Group',
      'requestheader-username-headers': 'X-Remote-User',
      'proxy-client-cert-file': pki('front-proxy-client.crt'),
      'proxy-client-key-file': pki('front-proxy-client.key'),
    }),
  ]
}

export const controllerManager = ({ folder }: ControlPlane): readonly string[] => {
  const pki = (name: string): string => join(folder, 'pki', name)
  return [
    join(bin, 'kube-controller-manager'),
    '--use-service-account-credentials',
    ...flags({
      kubeconfig: pki('controller-manager.kubeconfig'),
      'leader-elect': 'false',
      'secure-port': 0,
      'service-account-private-key-file': pki('sa.key'),
      'root-ca-file': pki('ca.crt'),
      'cluster-signing-cert-file': pki('ca.crt'),
      'cluster-signing-key-file': pki('ca.key'),
      'cluster-name': 'e2e',
    }),
  ]
}
