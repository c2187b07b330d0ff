import { findAdapter, type FoundAdapter } from '../../engine/adapter.js';

/** The adapter that tests run on: the best one here, or the one that the variable CTR_ADAPTER chooses. */
export const testAdapter = (): Promise<FoundAdapter> => findAdapter('auto');
