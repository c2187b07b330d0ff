/** Other names under which papers and archives know our data sets. */
const aliases: Readonly<Record<string, string>> = {
  'amazon-book': 'amazon-books',
};

/** The name of a data set here; names that we do not know stay as they are. */
export function datasetName(name: string): string {
  return Object.hasOwn(aliases, name) ? aliases[name] : name;
}
