import { blocks, given, listed, value } from './read.ts'
import { all, must } from './rule.ts'
import { byType, everyResource, type Rule } from './visit.ts'

/** A key of ours: what a cloud encrypts by itself it also decrypts for everybody with a right to read. */
const key =
  (...path: readonly string[]): Rule =>
  ({ attributes }) =>
    given(value(attributes, ...path)) ? undefined : `name a key of yours in ${path.join('.')}.`

/** Rules for what keeps data; add a row when a stack uses a type that does. */
const rules: Readonly<Record<string, Rule>> = {
  aws_eks_cluster: all(key('encryption_config', 'provider', 'key_arn'), ({ attributes }) =>
    listed(value(attributes, 'encryption_config', 'resources')).includes('secrets')
      ? undefined
      : 'add "secrets" to encryption_config.resources.',
  ),
  aws_cloudwatch_log_group: key('kms_key_id'),
  aws_ecr_repository: all(
    must(['encryption_configuration', 'encryption_type'], 'KMS'),
    key('encryption_configuration', 'kms_key'),
  ),
  aws_ebs_volume: all(must(['encrypted'], true), key('kms_key_id')),
  aws_launch_template: ({ attributes }) => {
    const disks = blocks(attributes, 'block_device_mappings', 'ebs')
    return disks.length > 0 &&
      disks.every((disk) => String(disk.encrypted) === 'true' && given(disk.kms_key_id))
      ? undefined
      : 'give it block_device_mappings whose ebs is encrypted with a kms_key_id.'
  },
  aws_s3_bucket: ({ companions }) =>
    companions('aws_s3_bucket_server_side_encryption_configuration', 'bucket').some((configuration) =>
      given(value(configuration, 'rule', 'apply_server_side_encryption_by_default', 'kms_master_key_id')),
    )
      ? undefined
      : 'add an aws_s3_bucket_server_side_encryption_configuration with a kms_master_key_id for it.',
  aws_s3_bucket_server_side_encryption_configuration: all(
    key('rule', 'apply_server_side_encryption_by_default', 'kms_master_key_id'),
    must(['rule', 'apply_server_side_encryption_by_default', 'sse_algorithm'], 'aws:kms'),
  ),
  aws_kms_key: must(['enable_key_rotation'], true),
  aws_db_instance: all(must(['storage_encrypted'], true), key('kms_key_id')),
  google_container_cluster: all(
    must(['database_encryption', 'state'], 'ENCRYPTED'),
    key('database_encryption', 'key_name'),
    key('node_config', 'boot_disk_kms_key'),
  ),
  google_container_node_pool: key('node_config', 'boot_disk_kms_key'),
  google_storage_bucket: key('encryption', 'default_kms_key_name'),
  google_artifact_registry_repository: key('kms_key_name'),
  google_compute_disk: key('disk_encryption_key', 'kms_key_self_link'),
  google_kms_crypto_key: key('rotation_period'),
  azurerm_kubernetes_cluster: all(
    key('key_management_service', 'key_vault_key_id'),
    key('disk_encryption_set_id'),
    must(['default_node_pool', 'host_encryption_enabled'], true),
  ),
  azurerm_kubernetes_cluster_node_pool: must(['host_encryption_enabled'], true),
  azurerm_storage_account: all(
    key('customer_managed_key', 'key_vault_key_id'),
    must(['infrastructure_encryption_enabled'], true),
    must(['https_traffic_only_enabled'], true),
    must(['min_tls_version'], 'TLS1_2'),
  ),
  azurerm_disk_encryption_set: key('key_vault_key_id'),
  azurerm_container_registry: key('encryption', 'key_vault_key_id'),
  azurerm_managed_disk: key('disk_encryption_set_id'),
  azurerm_key_vault: must(['purge_protection_enabled'], true),
  azurerm_key_vault_key: ({ attributes }) =>
    blocks(attributes, 'rotation_policy', 'automatic').length > 0
      ? undefined
      : 'give it a rotation_policy.automatic.',
  kubernetes_storage_class_v1: ({ attributes }) =>
    ['kmsKeyId', 'disk-encryption-kms-key', 'diskEncryptionSetID'].some((name) =>
      given(value(attributes, 'parameters', name)),
    )
      ? undefined
      : 'name the key of its disks in parameters.',
}

/** An aspect: what keeps data without a key of ours is an error. */
export const encrypted = everyResource(byType(rules))
