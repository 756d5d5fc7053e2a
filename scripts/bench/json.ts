// Reads JSON that the rig's own processes or the gateway under test wrote. Knows no shapes.
// Invariant: the one cast of the rig is here.

/** The caller names the shape and treats every field that a stranger wrote as optional: a wrong answer then fails the check. */
export function parseJson<T>(text: string): T {
  return JSON.parse(text) as T;
}
