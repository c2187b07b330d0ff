import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, realpath, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isSystemError } from '../errors.js';

/** Takes text piece by piece; what it was for is there in full after `commit`, and not at all without. */
export interface Sink {
  write(text: string): Promise<void>;
  commit(): Promise<void>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** Opens `-` for stdout, or a file that appears with `commit`. Throws the system's error, with the path in it. */
export async function openSink(path: string): Promise<Sink> {
  if (path === '-') return stdoutSink();
  const kind = await kindOf(path);
  // A rename would put a file in the place of a device or a named pipe.
  return kind === 'other' ? pipeSink(path) : fileSink(kind === 'file' ? await realpath(path) : path);
}

async function kindOf(path: string): Promise<'none' | 'file' | 'other'> {
  try {
    return (await stat(path)).isFile() ? 'file' : 'other';
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return 'none';
    throw error;
  }
}

function stdoutSink(): Sink {
  return {
    write(text) {
      return new Promise((done) => {
        // A reader that has gone away ends the command elsewhere: see runCommand.
        if (process.stdout.write(text)) done();
        else process.stdout.once('drain', done);
      });
    },
    commit: () => new Promise((done) => process.stdout.write('', () => done())),
    abort: async () => {},
  };
}

async function pipeSink(path: string): Promise<Sink> {
  const file = await open(path, 'w');
  return {
    write: (text) => naming(path, () => file.writeFile(text)),
    commit: () => file.close(),
    abort: () => file.close(),
  };
}

async function fileSink(path: string): Promise<Sink> {
  const draft = join(
    dirname(path),
    `.${basename(path)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`,
  );
  const file = await naming(path, () => open(draft, 'wx'));
  // Ctrl-C ends the process without coming by here.
  const remove = () => rmSync(draft, { force: true });
  process.once('exit', remove);
  return {
    write: (text) => naming(path, () => file.writeFile(text)),
    async commit() {
      await naming(path, async () => {
        await file.sync();
        await file.close();
        await rename(draft, path);
      });
      process.off('exit', remove);
    },
    async abort() {
      await file.close();
      remove();
      process.off('exit', remove);
    },
  };
}

/** The temporary name would help nobody. */
async function naming<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (isSystemError(error)) error.path = path;
    throw error;
  }
}
