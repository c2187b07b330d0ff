import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder } from '../support/convert.js';
import { archives } from '../support/invented.js';
import { node, type Ended } from '../support/train.js';
import { zipOf } from '../support/zip.js';

const script = resolve('cli/data.js');
const archive = zipOf(archives['ml-1m']);

/** Serves `body` with a tag and by range; `answer` may do otherwise, and says so. */
async function served(
  body: (url: string, ranges: (string | undefined)[]) => Promise<void>,
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<void> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    if (answer(request, response)) return;
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const isSame = request.headers['if-range'] === '"one"';
    const rest = isSame ? archive.subarray(from) : archive;
    response.writeHead(isSame ? 206 : 200, { etag: '"one"', 'content-length': rest.length });
    response.end(rest);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  try {
    await body(`http://127.0.0.1:${port}/path/ml-1m.zip`, ranges);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const download = (folder: string, ...argv: readonly string[]): Promise<Ended> =>
  node(folder, [script, 'download', ...argv]);
const place = (folder: string) => join(folder, 'dataset', 'downloads', 'ml-1m-recbole');

const down = suite('data download');

down('fetches, verifies, prints the checksum and the command that comes next, which works', () =>
  served((url) =>
    inFolder(async (folder) => {
      const { code, out, err } = await download(folder, '--dataset=ml-1m', `--url=${url}`);
      assert.equal([code, err], [0, '']);
      assert.match(out, /^licence: MovieLens/);
      assert.match(out, `bytes, sha256 ${createHash('sha256').update(archive).digest('hex')}\n`);
      assert.equal(readdirSync(place(folder)), ['ml-1m.zip']);
      const next = /node (cli\/data\.js prepare .*)/.exec(out)?.[1].split(' ').slice(1) ?? [];
      assert.is((await node(folder, [script, ...next])).code, 0);
      const again = await download(folder, '--dataset=ml-1m', `--url=${url}`);
      assert.match(again.out, 'ml-1m.zip: fetched before, kept\n');
    }),
  ),
);

down('goes on where a transfer ended', () =>
  served(
    (url, ranges) =>
      inFolder(async (folder) => {
        const { code, out } = await download(folder, '--dataset=ml-1m', `--url=${url}`);
        assert.is(code, 0);
        assert.equal(ranges, [undefined, 'bytes=700-']);
        assert.match(out, 'ml-1m.zip: goes on after 700 bytes\n');
        assert.equal(readFileSync(join(place(folder), 'ml-1m.zip')), archive);
      }),
    (request, response) => {
      if (request.headers.range !== undefined) return false;
      response.writeHead(200, { etag: '"one"', 'content-length': archive.length });
      // The connection breaks once these bytes have gone.
      response.write(archive.subarray(0, 700), () => setTimeout(() => response.destroy(), 100));
      return true;
    },
  ),
);

down('begins anew where the file has changed or nothing is known of the part', () =>
  served((url, ranges) =>
    inFolder(async (folder) => {
      mkdirSync(place(folder), { recursive: true });
      const part = join(place(folder), 'ml-1m.zip.part');
      writeFileSync(part, 'of another file');
      writeFileSync(`${part}.json`, JSON.stringify({ url, tag: '"zero"' }));
      assert.is((await download(folder, '--dataset=ml-1m', `--url=${url}`)).code, 0);
      assert.equal(ranges, ['bytes=15-']);
      assert.equal(readFileSync(join(place(folder), 'ml-1m.zip')), archive);
    }),
  ),
);

down('keeps nothing that is damaged or not what was published', () =>
  served(
    (url) =>
      inFolder(async (folder) => {
        const damaged = await download(folder, '--dataset=ml-1m', `--url=${url}`);
        assert.is(damaged.code, 1);
        assert.match(damaged.err, /^data: .*ml-1m\.zip.*: is damaged: /);
        assert.equal(readdirSync(place(folder)), []);
        const good = url.replace('path', 'good');
        const other = await download(folder, '--dataset=ml-1m', '--source=publisher', `--url=${good}`);
        assert.is(other.code, 1);
        assert.match(other.err, /ml-1m\.zip: has sha256 [0-9a-f]{64}, published is a6898adb/);
        assert.equal(readdirSync(join(folder, 'dataset', 'downloads', 'ml-1m-publisher')), []);
      }),
    (request, response) => {
      if (request.url?.includes('good')) return false;
      const changed = Buffer.from(archive);
      changed[60] ^= 0xff;
      response.end(changed);
      return true;
    },
  ),
);

down('explains the steps by hand where it cannot, and ends with 1', () =>
  served(
    (url) =>
      inFolder(async (folder) => {
        const { code, err } = await download(folder, '--dataset=ml-1m', `--url=${url}`);
        assert.is(code, 1);
        assert.match(
          err,
          /^data: ml-1m cannot be fetched \(http:.*: the server says 403 Forbidden\); by hand:\n {2}1\. /,
        );
        assert.match(
          err,
          'https://recbole.s3-accelerate.amazonaws.com/ProcessedDatasets/MovieLens/ml-1m.zip',
        );
        assert.match(err, 'https://files.grouplens.org/datasets/movielens/ml-1m.zip');
        assert.match(err, 'node cli/data.js prepare --dataset=ml-1m --from=PATH');
        const closed = await download(
          folder,
          '--dataset=amazon-book',
          '--url=http://127.0.0.1:1/Amazon_Books.zip',
        );
        assert.match(
          closed.err,
          /^data: amazon-books cannot be fetched \(http:.*:1\/Amazon_Books\.zip: .+\); by hand:/,
        );
        const yelp = await download(folder, '--dataset=yelp2018', '--source=publisher');
        assert.is(yelp.code, 1);
        assert.match(
          yelp.err,
          /^data: yelp2018 cannot be fetched \(its publisher wants an agreement first\); by hand:/,
        );
        assert.not.ok(existsSync(join(folder, 'dataset', 'yelp2018')));
      }),
    (_, response) => {
      response.writeHead(403).end('no');
      return true;
    },
  ),
);

down('refuses what it does not know', () =>
  inFolder(async (folder) => {
    const message = async (...argv: readonly string[]) => (await download(folder, ...argv)).err;
    assert.match(await message(), /^data: --dataset: missing; the data set: ml-1m/);
    assert.match(
      await message('--dataset=mine'),
      /--dataset=mine: not known where to find it; have ml-1m, yelp2018/,
    );
    assert.match(
      await message('--dataset=ml-1m', '--url=x'),
      /--url=x: names no file; give its whole address/,
    );
    assert.match(
      await message('--dataset=amazon-books', '--source=publisher', '--url=http://a/b'),
      /amazon-books has 2 files there; fetch them by hand/,
    );
  }),
);

down.run();
