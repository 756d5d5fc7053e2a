// What several dialogs about accounts ask for in the same way. Sends nothing.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../../shared/api.ts";
import { speak } from "../../shared/language.ts";

const say = speak({ pool: ["Pool", "号池"] });

/** Pools that stand for a subscription of the site. */
export const TIER_POOLS = ["ssoBasic", "ssoSuper", "ssoHeavy"];
export const KEY_POOL = "xai";

export const useKnownTags = () => {
  const known = useSignal<readonly string[]>([]);
  useEffect(() => {
    void get<{ data: string[] }>("/tokens/tags/all").then(
      ({ data }) => (known.value = data),
      () => undefined,
    );
  }, []);
  return known;
};

interface PoolFieldProps {
  readonly id: string;
  readonly pool: string;
  readonly pools: readonly string[];
  readonly onPool: (pool: string) => void;
  /** What choosing none means; without it one must be chosen. */
  readonly nothing?: string;
  readonly hint?: string;
}

export const PoolField = ({ id, pool, pools, onPool, nothing, hint }: PoolFieldProps) => (
  <div class="field">
    <label for={id}>{say("pool")}</label>
    <select id={id} class="select fill" value={pool} onChange={(event) => onPool(event.currentTarget.value)}>
      {nothing === undefined ? null : <option value="">{nothing}</option>}
      {pools.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
    {hint === undefined ? null : <span class="hint">{hint}</span>}
  </div>
);
