/** The parts of kafkajs 2.2.4 below its producer and consumer, which have no types. The version is pinned exactly. */

declare module 'kafkajs/src/cluster/index.js' {
  import type { Broker } from 'kafkajs/src/broker/index.js';

  export default class Cluster {
    constructor(options: object);
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
    refreshMetadata(): Promise<void>;
    findBroker(where: { nodeId: string }): Promise<Broker>;
    findControllerBroker(): Promise<Broker>;
    findGroupCoordinator(of: { groupId: string; coordinatorType: number }): Promise<Broker>;
    findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[];
  }
}

declare module 'kafkajs/src/broker/index.js' {
  import type { Protocol } from 'kafkajs/src/protocol/requests/fetch/v11/request.js';

  export interface ProducerIdentity {
    transactionalId?: string | undefined;
    producerId: bigint | number;
    producerEpoch: number;
  }

  export interface PartitionsOf<Partition> {
    topic: string;
    partitions: Partition[];
  }

  export interface Broker {
    nodeId: number;
    connectionPool: { send<Answer>(protocol: Protocol<Answer>): Promise<Answer> };
    isConnected(): boolean;
    apiVersions(): Promise<Record<number, { maxVersion: number }>>;
    initProducerId(of: {
      transactionalId?: string | undefined;
      transactionTimeout: number;
    }): Promise<{ producerId: bigint; producerEpoch: number }>;
    addPartitionsToTxn(of: ProducerIdentity & { topics: PartitionsOf<number>[] }): Promise<unknown>;
    endTxn(of: ProducerIdentity & { transactionResult: boolean }): Promise<unknown>;
    listOffsets(of: {
      isolationLevel: 0 | 1;
      topics: PartitionsOf<{ partition: number; timestamp: number }>[];
    }): Promise<{ responses: PartitionsOf<{ partition: number; offset: string }>[] }>;
  }
}

declare module 'kafkajs/src/protocol/requests/fetch/v11/request.js' {
  export interface Protocol<Answer> {
    request: unknown;
    response: { decode(bytes: Buffer): Promise<Answer>; parse(answer: Answer): Promise<Answer> };
  }
  const fetchRequest: (of: object) => unknown;
  export default fetchRequest;
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(buffer: Buffer);
    buffer: Buffer;
    offset: number;
    readInt8(): number;
    readInt16(): number;
    readInt32(): number;
    readInt64(): bigint;
    readString(): string;
    readBytes(length?: number): Buffer;
    readVarInt(): number;
    readVarLong(): bigint;
    readVarIntBytes(): Buffer | null;
    readVarIntString(): string | null;
    readArray<T>(read: (decoder: Decoder) => T): T[];
    forward(bytes: number): void;
  }
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    constructor(initialSize?: number);
    buffer: Buffer;
    writeInt16(value: number): this;
    writeInt32(value: number): this;
    writeString(value: string | null): this;
    writeBytes(value: Buffer): this;
    writeArray(values: readonly Encoder[]): this;
  }
}

declare module 'kafkajs/src/protocol/requests/produce/v7/response.js' {
  interface Answer {
    topics: { topicName: string; partitions: { partition: number; errorCode: number; baseOffset: string }[] }[];
  }
  const response: { decode(bytes: Buffer): Promise<Answer>; parse(answer: Answer): Promise<Answer> };
  export default response;
}

declare module 'kafkajs/src/protocol/recordBatch/crc32C/index.js' {
  const crc32c: (bytes: Buffer) => number;
  export default crc32c;
}

declare module 'kafkajs/src/protocol/error.js' {
  export function createErrorFromCode(code: number): Error & { type: string; retriable: boolean };
}

declare module 'kafkajs/src/network/socketFactory.js' {
  const socketFactory: () => (options: object) => import('node:net').Socket;
  export default socketFactory;
}

/** Only for tests: what our own code must equal, or what these do wrong. */
declare module 'kafkajs/src/protocol/recordBatch/record/v0/index.js' {
  const Record: (of: object) => object;
  export default Record;
}

declare module 'kafkajs/src/protocol/recordBatch/v0/index.js' {
  export const RecordBatch: (of: object) => Promise<{ buffer: Buffer }>;
}

declare module 'kafkajs/src/consumer/filterAbortedMessages.js' {
  const filterAbortedMessages: (of: object) => { offset: string }[];
  export default filterAbortedMessages;
}

declare module 'kafkajs/src/producer/sendMessages.js' {
  const createSendMessages: (of: object) => (what: object) => Promise<unknown[]>;
  export default createSendMessages;
}

declare module 'kafkajs/src/retry/index.js' {
  const createRetry: (options: object) => unknown;
  export default createRetry;
}
