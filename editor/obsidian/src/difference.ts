// Two texts, line by line.

export interface DiffLine {
  kind: "added" | "removed" | "same";
  text: string;
}

/** Lines beyond which no common ones are looked for between the first difference and the last: the table grows by their square. */
const MOST = 1500;

/** Lines that are common, removed and added, in order: a longest common subsequence, found by dynamic programming. */
export function lines(before: string, after: string): DiffLine[] {
  const old = split(before);
  const now = split(after);
  let first = 0;
  while (first < old.length && first < now.length && old[first] === now[first]) first++;
  let last = 0;
  const most = Math.min(old.length, now.length) - first;
  while (last < most && old[old.length - 1 - last] === now[now.length - 1 - last]) last++;
  return [
    ...old.slice(0, first).map(same),
    ...middle(old.slice(first, old.length - last), now.slice(first, now.length - last)),
    ...old.slice(old.length - last).map(same),
  ];
}

function middle(old: readonly string[], now: readonly string[]): DiffLine[] {
  if (old.length > MOST || now.length > MOST) return [...old.map(removed), ...now.map(added)];
  const width = now.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  const at = (row: number, column: number) => common[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = now.length - 1; column >= 0; column--) {
      const longer = Math.max(at(row + 1, column), at(row, column + 1));
      common[row * width + column] = old[row] === now[column] ? at(row + 1, column + 1) + 1 : longer;
    }
  }
  const found: DiffLine[] = [];
  let row = 0;
  let column = 0;
  while (row < old.length || column < now.length) {
    const [gone = "", come = ""] = [old[row], now[column]];
    if (row < old.length && column < now.length && gone === come) {
      found.push(same(gone));
      row++;
      column++;
    } else if (row < old.length && (column === now.length || at(row + 1, column) >= at(row, column + 1))) {
      found.push(removed(gone));
      row++;
    } else {
      found.push(added(come));
      column++;
    }
  }
  return found;
}

function split(text: string): string[] {
  return text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
}

function same(text: string): DiffLine {
  return { kind: "same", text };
}

function removed(text: string): DiffLine {
  return { kind: "removed", text };
}

function added(text: string): DiffLine {
  return { kind: "added", text };
}
