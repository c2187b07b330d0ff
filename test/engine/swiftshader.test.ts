import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { swiftshaderFolder, untar } from '../../engine/swiftshader.js';
import { child, engine, outcome } from '../support/adapters.js';
import { skipUnless } from '../support/skip.js';

const hasBundled = process.platform === 'linux' && process.arch === 'x64';
const bundledPackage = hasBundled ? 'node_modules/@sparticuz/chromium' : 'a SwiftShader for this system';

const bundled = suite('withSwiftshader');

skipUnless(
  [bundledPackage],
  bundled,
  'is there even if the drivers that the user names do not work',
  async () => {
    const broken = { VK_ICD_FILENAMES: '/nowhere/icd.json', VK_DRIVER_FILES: '' };
    assert.match(await outcome('swiftshader', broken), /^SwiftShader/);
    assert.match(await outcome('software', broken), /^SwiftShader/);
    const auto = await outcome('auto', broken);
    assert.is(
      auto,
      'AdapterError --adapter=auto: VK_ICD_FILENAMES=/nowhere/icd.json gives no adapter that Dawn accepts; ' +
        'correct or unset it',
    );
  },
);

skipUnless([bundledPackage], bundled, 'leaves the environment as it was', async () => {
  const { out } = await child(
    `await A.findAdapter('swiftshader');
    console.log(JSON.stringify([process.env.VK_ICD_FILENAMES, process.env.VK_DRIVER_FILES]));`,
    { VK_ICD_FILENAMES: '/nowhere/icd.json', VK_DRIVER_FILES: '' },
  );
  assert.is(out, '["/nowhere/icd.json",""]');
});

skipUnless([bundledPackage], bundled, 'brings its own Vulkan loader', async () => {
  // Nothing has looked for the system's loader before, as on a machine that has none.
  const { out, err, code } = await child(`
    import { create } from 'webgpu';
    import { readFileSync } from 'node:fs';
    const gpu = S.withSwiftshader(() => { const gpu = create([]); return [gpu, gpu.requestAdapter()]; });
    const adapter = await gpu[1];
    const mapped = readFileSync('/proc/self/maps', 'utf8').match(/\\/.*libvulkan.*/g);
    console.log(adapter.info.architecture, [...new Set(mapped)].join().replace(S.swiftshaderFolder(), ''));`);
  assert.is(code, 0, err);
  assert.is(out, 'swiftshader /libvulkan.so.1');
});

skipUnless([bundledPackage], bundled, 'is unpacked whole by several processes at once', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'ctr-webgpu-test-'));
  try {
    const script = `console.log(S.swiftshaderFolder([() => ${JSON.stringify(cache)}]));`;
    const ends = await Promise.all([1, 2, 3].map(() => child(script)));
    assert.ok(
      ends.every(({ code, out }) => code === 0 && out === ends[0].out),
      JSON.stringify(ends),
    );
    assert.is(readdirSync(cache).length, 1, 'nothing half done is left');
    assert.equal(readdirSync(ends[0].out).sort(), [
      'libvk_swiftshader.so',
      'libvulkan.so.1',
      'vk_swiftshader_icd.json',
    ]);
  } finally {
    rmSync(cache, { recursive: true });
  }
});

skipUnless([bundledPackage], bundled, 'goes to the next cache folder if one cannot be written', () => {
  const cache = mkdtempSync(join(tmpdir(), 'ctr-webgpu-test-'));
  try {
    const file = join(cache, 'file');
    writeFileSync(file, '');
    const folder = swiftshaderFolder([() => join(file, 'cache'), () => join(cache, 'second')]);
    assert.ok(folder.startsWith(join(cache, 'second')) && existsSync(join(folder, 'libvulkan.so.1')), folder);
    assert.throws(() => swiftshaderFolder([() => join(file, 'cache')]), /no folder to unpack it to: ENOTDIR/);
  } finally {
    rmSync(cache, { recursive: true });
  }
});

skipUnless([bundledPackage], bundled, 'is asked for by name where it is not installed', async () => {
  const root = mkdtempSync(join(tmpdir(), 'ctr-webgpu-test-'));
  try {
    cpSync(engine, join(root, 'dist/engine'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    mkdirSync(join(root, 'node_modules'));
    symlinkSync(
      fileURLToPath(new URL('.', import.meta.resolve('webgpu'))),
      join(root, 'node_modules/webgpu'),
    );
    const message = await outcome(
      'software',
      { VK_ICD_FILENAMES: '/nowhere/icd.json' },
      join(root, 'dist/engine/'),
    );
    assert.match(
      message,
      /^AdapterError --adapter=software: no software Vulkan, have "CPU: .+" \(cpu\); choose cpu, which is faster, or install the development dependencies with npm ci, which bring SwiftShader, or /,
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});

bundled.run();

const tar = suite('untar');

/** A ustar entry: a 512-byte header, then the content padded to whole blocks. */
function entry(name: string, content: string, type = '0'): Buffer {
  const block = Buffer.alloc(512 + Math.ceil(content.length / 512) * 512);
  block.write(name, 0, 'latin1');
  block.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  block.write(type, 156, 'latin1');
  block.write(content, 512, 'latin1');
  return block;
}

tar('reads regular files by base name and passes over the rest', () => {
  const archive = Buffer.concat([
    entry('./bin/', '', '5'),
    entry('./bin/a.json', '{"a":1}'),
    entry('link', '', '2'),
    entry('b.so', 'x'.repeat(513)),
    Buffer.alloc(1024),
  ]);
  const files = untar(archive);
  assert.equal([...files.keys()], ['a.json', 'b.so']);
  assert.is(files.get('a.json')?.toString(), '{"a":1}');
  assert.is(files.get('b.so')?.length, 513);
});

tar('refuses an archive that is cut off or no archive', () => {
  assert.throws(() => untar(entry('a', 'x'.repeat(600)).subarray(0, 700)), /cut off at byte 700/);
  assert.throws(() => untar(Buffer.alloc(600, 'x')), /cut off/);
});

tar.run();
