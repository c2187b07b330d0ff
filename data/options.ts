/** An interval such as "[10,inf)", several joined by ";"; a list of two numbers is closed, as Python prints it. */
export type Interval = string | readonly number[];

/** How a float feature becomes buckets: ED equal distances (needs bucket), LD the squared logarithm. */
export interface Discretization {
  readonly method: 'ED' | 'LD';
  readonly bucket?: number;
}

/** How interactions are divided into train, valid and test. */
export interface EvalArgs {
  readonly split:
    { readonly RS: readonly number[] } | { readonly LS: 'valid_and_test' | 'valid_only' | 'test_only' };
  /** RO: shuffled with the seed. TO: by TIME_FIELD. */
  readonly order: 'RO' | 'TO';
  readonly group_by: 'none' | 'user' | null;
  /** Read by the evaluation, not by the data pipeline. */
  readonly mode: string;
}

type Names = readonly string[];
type ByField<T> = Readonly<Record<string, T>>;

/** Everything that decides what a data set becomes, resolved, under RecBole's names. */
export interface DataOptions {
  readonly data_path: string;
  readonly dataset: string;
  readonly field_separator: string;
  readonly seq_separator: string;
  readonly USER_ID_FIELD: string;
  readonly ITEM_ID_FIELD: string;
  readonly RATING_FIELD: string;
  readonly TIME_FIELD: string;
  readonly LABEL_FIELD: string;
  readonly load_col: ByField<Names | '*'> | null;
  readonly unload_col: ByField<Names> | null;
  readonly unused_col: ByField<Names> | null;
  readonly seq_len: ByField<number> | null;
  readonly threshold: ByField<number> | null;
  readonly rm_dup_inter: 'first' | 'last' | null;
  readonly val_interval: ByField<Interval | Names> | null;
  readonly filter_inter_by_user_or_item: boolean;
  readonly user_inter_num_interval: Interval | null;
  readonly item_inter_num_interval: Interval | null;
  readonly alias_of_user_id: Names | null;
  readonly alias_of_item_id: Names | null;
  readonly alias_of_entity_id: Names | null;
  readonly alias_of_relation_id: Names | null;
  readonly normalize_field: Names | null;
  readonly normalize_all: boolean | null;
  readonly discretization: ByField<Discretization> | null;
  readonly numerical_features: Names;
  readonly benchmark_filename: Names | null;
  readonly eval_args: EvalArgs;
  readonly seed: number;
  readonly save_dataset: boolean;
  readonly dataset_save_path: string | null;
}

/** One option of the pipeline, for help texts and for checking what a user gave. */
export interface DataOption<T> {
  readonly default: T;
  readonly meaning: string;
  /** In RecBole's words. */
  readonly kind: 'int' | 'bool' | 'str' | 'list' | 'dict';
  /** An example of the form, for messages: "give …". */
  readonly form: string;
  /** Whether a value has the form; what it says about the data is checked when the data is there. */
  readonly accepts: (value: unknown) => boolean;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isBool: Check = (value) => typeof value === 'boolean';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0;
const isSeed: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isNames: Check = (value) => Array.isArray(value) && value.every(isText);
const isInterval: Check = (value) =>
  isText(value) ||
  (Array.isArray(value) && value.length === 2 && value.every((end) => typeof end === 'number'));
const isDict = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const dictOf =
  (check: Check): Check =>
  (value) =>
    isDict(value) && Object.values(value).every(check);

const isDiscretization: Check = (value) =>
  isDict(value) &&
  oneOf('ED', 'LD')(value.method) &&
  (value.method === 'ED' ? isCount(value.bucket) : value.bucket === undefined || isCount(value.bucket));

const isRatios: Check = (value) =>
  Array.isArray(value) &&
  value.length === 3 &&
  value.every((share) => isNumber(share) && share >= 0) &&
  value[0] > 0;

const isSplit: Check = (value) => {
  if (!isDict(value) || Object.keys(value).length !== 1) return false;
  return 'RS' in value ? isRatios(value.RS) : oneOf('valid_and_test', 'valid_only', 'test_only')(value.LS);
};

const isEvalArgs: Check = (value) =>
  isDict(value) &&
  isSplit(value.split) &&
  oneOf('RO', 'TO')(value.order) &&
  oneOf('none', 'user', null)(value.group_by) &&
  isText(value.mode);

function option<T>(
  kind: DataOption<T>['kind'],
  defaultValue: T,
  meaning: string,
  form: string,
  accepts: Check,
): DataOption<T> {
  return { default: defaultValue, meaning, kind, form, accepts };
}

const text = (value: string, meaning: string) => option('str', value, meaning, value || 'a name', isText);
const names = (meaning: string, form: string) =>
  option<Names | null>('list', null, meaning, form, orNone(isNames));
const columns = (meaning: string, form: string) =>
  option<ByField<Names> | null>('dict', null, meaning, form, orNone(dictOf(isNames)));
const interval = (meaning: string) =>
  option<Interval | null>('str', '[0,inf)', meaning, '"[10,inf)"', orNone(isInterval));

function orNone(check: Check): Check {
  return (value) => value === null || check(value);
}

/** Every option of the pipeline with its default, a line of meaning and its form. */
export const dataOptionTable: { readonly [Name in keyof DataOptions]: DataOption<DataOptions[Name]> } = {
  data_path: text('dataset/', 'folder of the data sets'),
  dataset: option('str', '', 'name of the data set, a folder in data_path', 'ml-100k', isText),
  field_separator: option('str', '\t', 'one character between columns', 'one character', isText),
  seq_separator: option('str', ' ', 'one character between the items of a sequence', 'one character', isText),
  USER_ID_FIELD: text('user_id', 'column of user ids'),
  ITEM_ID_FIELD: text('item_id', 'column of item ids'),
  RATING_FIELD: text('rating', 'column of ratings: class target, never a model input'),
  TIME_FIELD: text('timestamp', 'column of times, for order TO and rm_dup_inter'),
  LABEL_FIELD: text('label', 'column of 0/1 labels, or the name of those made by threshold'),
  load_col: option<DataOptions['load_col']>(
    'dict',
    null,
    'columns to load by file, "*" for all; files left out are not loaded; None loads everything',
    "{'inter': ['user_id', 'item_id', 'rating'], 'user': '*'}",
    orNone(dictOf(either(isNames, oneOf('*')))),
  ),
  unload_col: columns('columns not to load, by file', "{'item': ['title']}"),
  unused_col: columns('columns that are loaded but no model inputs, by file', "{'inter': ['timestamp']}"),
  seq_len: option<DataOptions['seq_len']>(
    'dict',
    null,
    'most items of a sequence by field, the rest is cut off',
    "{'genre': 3}",
    orNone(dictOf(isCount)),
  ),
  threshold: option<DataOptions['threshold']>(
    'dict',
    null,
    'label 1 from this value on, one field',
    "{'rating': 4}",
    orNone(dictOf(isNumber)),
  ),
  rm_dup_inter: option<DataOptions['rm_dup_inter']>(
    'str',
    null,
    'of interactions of one user with one item, keep the first or the last in time',
    'first or last',
    oneOf('first', 'last', null),
  ),
  val_interval: option<DataOptions['val_interval']>(
    'dict',
    null,
    'rows to keep: intervals of float fields, lists of tokens for token fields',
    "{'rating': '[3,inf)', 'gender': ['F']}",
    orNone(dictOf(either(isInterval, isNames))),
  ),
  filter_inter_by_user_or_item: option(
    'bool',
    true,
    'drop interactions whose user or item has no row in its file',
    'True or False',
    isBool,
  ),
  user_inter_num_interval: interval('users to keep, by number of interactions'),
  item_inter_num_interval: interval('items to keep, by number of interactions'),
  alias_of_user_id: names('fields that share the ids of USER_ID_FIELD', "['friend_id']"),
  alias_of_item_id: names('fields that share the ids of ITEM_ID_FIELD', "['next_item_id']"),
  alias_of_entity_id: names('fields that share one set of ids', "['head', 'tail']"),
  alias_of_relation_id: names('fields that share one set of ids', "['link', 'back_link']"),
  normalize_field: names('float fields to bring to 0 .. 1', "['price']"),
  normalize_all: option<boolean | null>(
    'bool',
    null,
    'bring all float fields to 0 .. 1, but rating and label',
    'True or False',
    oneOf(true, false, null),
  ),
  discretization: option<DataOptions['discretization']>(
    'dict',
    null,
    'numerical features to put into buckets: ED (equal distance) or LD (logarithm)',
    "{'price': {'method': 'ED', 'bucket': 10}}",
    orNone(dictOf(isDiscretization)),
  ),
  numerical_features: option<Names>('list', [], 'float fields that are model inputs', "['price']", isNames),
  benchmark_filename: names(
    'middle names of files already split: train, valid, test',
    "['train', 'valid', 'test']",
  ),
  eval_args: option<EvalArgs>(
    'dict',
    { split: { RS: [0.8, 0.1, 0.1] }, order: 'RO', group_by: 'none', mode: 'labeled' },
    'split (RS or LS), order (RO or TO), group_by (user or none), mode',
    "{'split': {'RS': [0.8, 0.1, 0.1]}, 'order': 'RO', 'group_by': 'none', 'mode': 'labeled'}",
    isEvalArgs,
  ),
  seed: option('int', 2020, 'of the split and of the order of training rows', '2020', isSeed),
  save_dataset: option(
    'bool',
    false,
    'keep the processed data set for the next run',
    'True or False',
    isBool,
  ),
  dataset_save_path: option<string | null>(
    'str',
    null,
    'file of the processed data set; None: saved/<dataset>-<key>.dataset',
    'saved/ml-100k.dataset',
    orNone(isText),
  ),
};

/** The default of every option. */
export const defaultDataOptions = Object.fromEntries(
  Object.entries(dataOptionTable).map(([name, entry]) => [name, entry.default]),
) as unknown as DataOptions; // Object.entries forgets which key has which type
