// Which words of a source an answer's sentences rest on: runs of words that stand in both, in the same order.

/** Fewest words in a row that count: two neighbours ("by mouth") stand in most sources by chance. */
const LEAST_RUN = 3;
const WORD = /[\p{L}\p{N}]+(?:[.,]\p{N}+)*/gu;

/** The parts of `text` that stand in a sentence too, as [start, end) offsets, in order and apart from each other. */
export function supported(text, sentences) {
  const words = [...text.matchAll(WORD)];
  const held = words.map(([word]) => word.toLowerCase());
  const least = Math.min(LEAST_RUN, held.length);
  const marked = new Array(held.length).fill(false);
  for (const sentence of sentences) {
    const said = (sentence.match(WORD) ?? []).map((word) => word.toLowerCase());
    for (let at = 0; at < held.length; ) {
      const run = longestRun(held, at, said);
      if (run >= least) marked.fill(true, at, at + run);
      at += run >= least ? run : 1;
    }
  }
  const ranges = [];
  for (let at = 0; at < words.length; at++) {
    if (!marked[at]) continue;
    const end = words[at].index + words[at][0].length;
    if (marked[at - 1]) ranges.at(-1)[1] = end;
    else ranges.push([words[at].index, end]);
  }
  return ranges;
}

/** Text cut at these offsets: what lies within one is put into `mark(part)`, the rest stays a string. */
export function cutAt(text, ranges, mark) {
  const parts = [];
  let from = 0;
  for (const [start, end] of ranges) {
    parts.push(text.slice(from, start), mark(text.slice(start, end)));
    from = end;
  }
  return [...parts, text.slice(from)];
}

/** How many words from `held[at]` on stand somewhere in `said`. */
function longestRun(held, at, said) {
  let longest = 0;
  for (let from = 0; from < said.length; from++) {
    let run = 0;
    while (at + run < held.length && said[from + run] === held[at + run]) run++;
    longest = Math.max(longest, run);
  }
  return longest;
}
