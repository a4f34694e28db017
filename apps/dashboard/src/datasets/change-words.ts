/** What cleaning did, by the kind that the report gives it. */
const words: Record<string, string> = {
  'cell.missing-word': 'Words for “nothing” became missing values',
  'cell.trimmed': 'Blanks around values were taken off',
  'cell.number': 'Numbers were read in the way that they were written',
  'cell.integer': 'Whole numbers were read in the way that they were written',
  'cell.boolean': 'Words for yes and no were made alike',
  'cell.date': 'Dates were put into one form',
  'cell.datetime': 'Dates with times were put into one form',
  'cell.imputed': 'Missing values were filled',
  'cell.clipped': 'Outliers were clipped',
  'line.preamble': 'Lines before the table were set aside',
  'line.footer': 'Lines after the table were set aside',
  'line.comment': 'Comments between the rows were set aside',
  'line.blank': 'Empty lines were left out',
  'header.repeated': 'Repeated headers were left out',
  'table.other': 'Lines of another table were set aside',
  'encoding.converted': 'The text was converted to UTF-8',
  'row.padded': 'Rows with too few fields were filled up',
  'row.trimmed': 'Empty fields beyond the last column were taken off',
  'row.csv': 'Rows written in another way than the rest were read all the same',
  'cell.unreadable': 'Values that do not fit their column became missing',
  'column.dropped': 'Columns without any value were left out',
  'column.indicator': 'Columns that say what was missing were added',
};

/** A kind of change in words; an unknown one is spelt out. */
export function changeWords(kind: string): string {
  const known = words[kind];
  if (known) return known;
  const plain = kind.replace(/[.-]+/g, ' ').trim();
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}
