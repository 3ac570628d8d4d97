/** How a Kafka cluster is reached. */
export interface KafkaConnection {
  /** `host:port` of some brokers; the others are learnt from them. */
  brokers: readonly string[];
  clientId?: string | undefined;
  /** TLS, with certificates as PEM; without an authority those of the system. */
  ssl?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
  sasl?: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string } | undefined;
}

export interface KafkaSettings extends KafkaConnection {
  /** Stands before the names of topics and transactional ids, where a cluster is shared. */
  prefix?: string | undefined;
  /** Copies of each topic when it is made; default: the cluster's own setting. */
  replicationFactor?: number | undefined;
}
