import { BlockList, isIP } from 'node:net';

/** The addresses in `texts`, which are addresses and networks such as `10.0.0.0/8`. */
export function networksOf(texts: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const text of texts) {
    const { address, prefix, family } = parsed(text);
    networks.addSubnet(address, prefix, family);
  }
  return networks;
}

export function isNetwork(text: string): boolean {
  const { address, prefix, bits } = parsed(text);
  return isIP(address) !== 0 && prefix <= bits;
}

function parsed(text: string) {
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address) === 6 ? ('ipv6' as const) : ('ipv4' as const);
  const bits = family === 'ipv6' ? 128 : 32;
  return { address, family, bits, prefix: length === undefined ? bits : Number(length) };
}
