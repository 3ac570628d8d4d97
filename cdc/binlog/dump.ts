import { crc32 } from 'node:zlib';
import ZongJi, { type AnyBinlogEvent } from '@vlasky/zongji';
import type { Connection } from 'mysql2';
import { BanyanError } from '../../log/errors.ts';
import { cdcFault } from '../errors.ts';
import { FORMAT_DESCRIPTION } from './event-types.ts';
import type { Settings } from './options.ts';

/**
 * One event of the binlog as it came over the wire. A single object, filled anew for each event: nobody keeps it, nor
 * its bytes.
 */
export class RawEvent {
  type = 0;
  /** Seconds since 1970. */
  timestamp = 0;
  /** In the file, its header and checksum included. */
  size = 0;
  /** The low 32 bits of its end in the file; 0 of an event made up by the server. */
  end32 = 0;
  flags = 0;
  bytes: Buffer = Buffer.alloc(0);
  /** Where its body starts and ends in `bytes`, header and checksum left out. */
  body = 0;
  end = 0;
  checksum = 0;
  readonly #parse: () => AnyBinlogEvent;

  constructor(parse: () => AnyBinlogEvent) {
    this.#parse = parse;
  }

  /** The event as zongji parses it. */
  parse<T extends AnyBinlogEvent>(): T {
    return this.#parse() as T;
  }
}

const ARTIFICIAL = 0x20;

export function isArtificial(event: RawEvent): boolean {
  return (event.flags & ARTIFICIAL) !== 0;
}

interface Packet {
  buffer: Buffer;
  offset: number;
  end: number;
  isEOF(): boolean;
}

type ParsedCallback = (error: Error | undefined, event: AnyBinlogEvent | undefined) => void;

/** The command of mysql2 in which zongji reads the binlog. */
interface BinlogCommand {
  start(packet: Packet, connection: unknown): unknown;
  binlogData(packet: Packet, connection: unknown): unknown;
}

interface Internals {
  connection: Connection;
  BinlogClass: new (callback: ParsedCallback) => BinlogCommand;
}

export interface DumpListener {
  onEvent(event: RawEvent): void;
  /** At most once; nothing comes after it. */
  onError(error: unknown): void;
}

const HEADER = 19;
const CHECKSUM = 4;

/**
 * The server's stream of binlog events, read through zongji: its connection, its request and its parsers, but below its
 * handling of tables and rows. That part asks `information_schema` of today when a table map does not say all, takes
 * charsets for others (NOPAD collations, columns behind a GEOMETRY) and data for checksums when the server stops
 * writing them, and is slower. Rows are read by `rows.ts`.
 */
export class Dump extends (ZongJi as unknown as new (dsn: object) => InstanceType<typeof ZongJi> & Internals) {
  readonly #listener: DumpListener;
  readonly #settings: Settings;
  readonly #checksums = new Checksums();
  readonly #watchdog: NodeJS.Timeout;
  #heard: boolean = false;
  #paused: boolean = false;
  #ended: boolean = false;

  constructor(settings: Settings, gtidPosition: string, listener: DumpListener) {
    super({ ...settings.connection, connectTimeout: Math.min(10_000, settings.silenceMs) });
    this.#settings = settings;
    this.#listener = listener;
    this.on('error', (error) => this.fail(error));
    this.on('ready', () => {
      this.BinlogClass = tapped(this.BinlogClass, this);
    });
    this.#watchdog = setInterval(() => this.#watch(), settings.silenceMs);
    this.start({ gtidSet: gtidPosition, serverId: settings.serverId });
  }

  /**
   * In place of zongji's own: asks for checksums whatever the server writes now, and hands zongji events without them.
   * The server waits long for a reader that is paused.
   */
  _isChecksumEnabled(next: (error: Error | null, enabled: boolean) => void): void {
    const heartbeat = this.#settings.heartbeatMs * 1_000_000;
    const sql = `SET @master_binlog_checksum = 'CRC32', @master_heartbeat_period = ${heartbeat}, net_write_timeout = 86400`;
    this.connection.query(sql, (error) => next(error, false));
    // zongji keeps a second connection for its end only: it must not time out meanwhile.
    this.ctrlConnection?.query('SET wait_timeout = 31536000');
  }

  heard(event: RawEvent): void {
    this.#heard = true;
    if (this.#ended) return;
    try {
      this.#checksums.verify(event);
      this.#listener.onEvent(event);
    } catch (error) {
      const found = `a binlog event of type ${event.type}: ${(error as Error).name}`;
      this.fail(BanyanError.is(error) ? error : cdcFault('BNY-CDC-UNDECODABLE', { found, cause: error }));
    }
  }

  pause(): void {
    if (this.#paused || this.#ended) return;
    this.#paused = true;
    this.connection.pause();
  }

  resume(): void {
    if (!this.#paused || this.#ended) return;
    this.#paused = false;
    this.#heard = true;
    this.connection.resume();
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    this.close();
    this.#listener.onError(error);
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#watchdog);
    this.stop();
  }

  #watch(): void {
    if (!this.#heard && !this.#paused) {
      const found = `nothing from the server for ${this.#settings.silenceMs / 1000} s`;
      this.fail(cdcFault('BNY-CDC-UNREACHABLE', { found }));
    }
    this.#heard = false;
  }
}

/** zongji's command, with each event handed to `dump` before zongji sees it. */
function tapped(Base: Internals['BinlogClass'], dump: Dump): Internals['BinlogClass'] {
  return class Tapped extends Base {
    #packet: Packet | undefined;
    #parsed: AnyBinlogEvent | undefined;
    #failure: Error | undefined;
    readonly #event = new RawEvent(() => this.#parse());

    constructor() {
      super((error, event) => {
        this.#failure = error;
        this.#parsed = event;
      });
    }

    override start(packet: Packet, connection: unknown): unknown {
      super.start(packet, connection);
      return this.binlogData;
    }

    /** mysql2 calls it when the server refuses. */
    onResult(error: Error): void {
      dump.fail(error);
    }

    override binlogData(packet: Packet): unknown {
      if (packet.isEOF()) {
        dump.fail(cdcFault('BNY-CDC-UNREACHABLE', { found: 'the server ended the stream' }));
        return null;
      }
      this.#packet = packet;
      fill(this.#event, packet);
      dump.heard(this.#event);
      return this.binlogData;
    }

    #parse(): AnyBinlogEvent {
      const { bytes, body, end, type } = this.#event;
      const packet = this.#packet as Packet;
      packet.end = end;
      bytes.writeUInt32LE(end - body + HEADER, body - HEADER + 9);
      super.binlogData(packet, dump.connection);
      if (!this.#parsed) throw cdcFault('BNY-CDC-UNDECODABLE', { found: `event ${type}`, cause: this.#failure });
      return this.#parsed;
    }
  };
}

function fill(event: RawEvent, { buffer, offset, end }: Packet): void {
  // Before the header stands the protocol's OK byte.
  const header = offset + 1;
  event.bytes = buffer;
  event.timestamp = buffer.readUInt32LE(header);
  event.type = buffer[header + 4] as number;
  event.size = buffer.readUInt32LE(header + 9);
  event.end32 = buffer.readUInt32LE(header + 13);
  event.flags = buffer.readUInt16LE(header + 17);
  event.body = header + HEADER;
  event.end = end;
}

/** Each file says in its first event whether its events have checksums. */
class Checksums {
  // Asked for, so that the events before the first file have them.
  #written: boolean = true;

  verify(event: RawEvent): void {
    const { bytes, body, type } = event;
    if (type === FORMAT_DESCRIPTION) this.#written = bytes[event.end - CHECKSUM - 1] === 1;
    if (this.#written) event.end -= CHECKSUM;
    event.checksum = crc32(bytes.subarray(body - HEADER, event.end));
    if (this.#written && event.checksum !== bytes.readUInt32LE(event.end)) {
      throw cdcFault('BNY-CDC-UNDECODABLE', { found: `a binlog event of type ${type} with a wrong checksum` });
    }
  }
}
