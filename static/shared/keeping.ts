// Small choices that outlive a visit. Knows no choice.
// Invariant: a browser that keeps nothing, such as in a private window, loses the choice and nothing else.

export const kept = (name: string, where: "local" | "session" = "local"): string | null => {
  try {
    return storeOf(where).getItem(name);
  } catch {
    return null;
  }
};

export const keep = (name: string, value: string | null, where: "local" | "session" = "local"): void => {
  try {
    if (value === null) storeOf(where).removeItem(name);
    else storeOf(where).setItem(name, value);
  } catch {
    // The page works on without it.
  }
};

const storeOf = (where: "local" | "session"): Storage => (where === "local" ? localStorage : sessionStorage);
