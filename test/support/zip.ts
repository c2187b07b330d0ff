import { deflateRawSync } from 'node:zlib';

/** CRC-32 by its definition, a bit at a time. */
export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** The part that local and central headers share: version, flags, method, time, checksum, sizes, lengths. */
function common(name: Buffer, stored: Buffer, plain: Buffer): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(20, 0);
  header.writeUInt16LE(0x800, 2); // names are UTF-8
  header.writeUInt16LE(8, 4);
  header.writeUInt32LE(crc32(plain), 10);
  header.writeUInt32LE(stored.length, 14);
  header.writeUInt32LE(plain.length, 18);
  header.writeUInt16LE(name.length, 22);
  return header;
}

/** A zip archive of these files, deflated. */
export function zipOf(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const [bodies, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [path, content] of Object.entries(files)) {
    const [name, plain] = [Buffer.from(path), Buffer.from(content)];
    const stored = deflateRawSync(plain);
    const header = common(name, stored, plain);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), header, name, stored]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), header, tail, name]));
    bodies.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, central, end]);
}
