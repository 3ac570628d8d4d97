/** Text forms of MariaDB's types that look like BINARY in the binlog, as the server prints them. */

export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function inet4Text(bytes: Buffer): string {
  return bytes.join('.');
}

/**
 * As RFC 5952, but MariaDB shortens also a single zero group. Addresses that hold one of IPv4 end in dotted form.
 */
export function inet6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i));
  let [start, length] = [0, 0];
  for (let i = 0; i < 8; i++) {
    let zeros = 0;
    while (groups[i + zeros] === 0) zeros++;
    if (zeros > length) [start, length] = [i, zeros];
  }
  if (start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff))) {
    return `::${length === 5 ? 'ffff:' : ''}${inet4Text(bytes.subarray(12))}`;
  }
  const hex = groups.map((group) => group.toString(16));
  return length === 0 ? hex.join(':') : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}
