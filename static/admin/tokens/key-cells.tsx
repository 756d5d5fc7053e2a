// What a row shows where the account is a key of the official API: its team instead of a tier, models instead of quotas.
// Invariant: a rest says of what and until when, and what cannot be changed here says where it can.
import { at } from "../../shared/place.ts";
import { count, countdown, dateTime, relative } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { now } from "../../shared/ticker.ts";
import type { Row } from "./store.ts";
import { say } from "./words.ts";

const KEY_POOL = "xai";
const TEAM_SHOWN = 8;

export const outOfCredits = ({ status, cooldown_reason }: Row): boolean =>
  status === "cooling" && cooldown_reason === "no_credits";

export const KindCell = ({ row }: { row: Row }) => (
  <span class="kind-cell">
    <span class="row wrap tag-list">
      <span class="badge accent" title={say("apiKeyHint")}>
        {say("apiKey")}
      </span>
      {row.pool === KEY_POOL ? null : <span class="badge">{row.pool}</span>}
      {row.from_config ? (
        <span class="badge" title={say("fromSettingsHint")}>
          {say("fromSettings")}
        </span>
      ) : null}
    </span>
    {row.team_id === null ? null : (
      <span class="muted small-text nowrap" title={say("teamIs", { id: row.team_id })}>
        {say("team")} <span class="mono">{row.team_id.slice(0, TEAM_SHOWN)}</span>
      </span>
    )}
  </span>
);

/** Those that end last first. */
const restsOf = ({ model_rests: rests }: Row): [model: string, until: number][] =>
  Object.entries(rests)
    .filter(([, until]) => until > now.value)
    .toSorted(([, one], [, other]) => other - one);

const RESTS_SHOWN = 2;

const modelsText = ({ models }: Row): string => {
  if (models === null) return say("modelsUnknown");
  return models.length === 1 ? say("modelOne") : say("modelsN", { n: count(models.length) });
};

const Rests = ({ row }: { row: Row }) => {
  const rests = restsOf(row);
  const shown = rests.length > RESTS_SHOWN + 1 ? RESTS_SHOWN : rests.length;
  return (
    <>
      {rests.slice(0, shown).map(([model, until]) => (
        <span key={model} class="rest-line" title={dateTime(until)}>
          <Icon name="snow" size={13} />
          {say("rests", { model, time: countdown((until - now.value) / 1000) })}
        </span>
      ))}
      {rests.length > shown ? (
        <span class="rest-line">{say("restsMore", { n: count(rests.length - shown) })}</span>
      ) : null}
    </>
  );
};

export const KeyCell = ({ row }: { row: Row }) => (
  <span class="kind-cell">
    <span class={row.models === null ? "muted" : ""}>{modelsText(row)}</span>
    <Rests row={row} />
  </span>
);

export const FromSettings = () => (
  <p class="notice">
    <Icon name="lock" />
    <span>
      {say("fromSettingsHint")} <a href={at("/admin/config#xai")}>{say("toSettings")}</a>
    </span>
  </p>
);

export const OutOfCredits = ({ row }: { row: Row }) => (
  <p class="notice warn">
    <Icon name="warning" />
    {say("noCreditsHint", {
      team: row.team_id ?? say("unknown"),
      when: relative(row.cooldown_until ?? now.value, now.value),
    })}
  </p>
);

export const KeyDetails = ({ row }: { row: Row }) => {
  const rests = new Map(restsOf(row));
  // Keys that share a team may know of rests of models that this one does not list.
  const ids = [...new Set([...(row.models ?? []).map(({ id }) => id), ...rests.keys()])];
  return (
    <>
      <h3 class="small-text muted">{say("models")}</h3>
      {ids.length === 0 ? <p class="muted">{say("modelsUnknown")}</p> : null}
      <ul class="model-list">
        {ids.map((id) => {
          const until = rests.get(id);
          return (
            <li key={id}>
              <span class={`badge ${until === undefined ? "" : "warn"}`}>
                <span class="mono">{id}</span>
                {until === undefined ? null : (
                  <span title={dateTime(until)}>
                    {say("restsFor", { time: countdown((until - now.value) / 1000) })}
                  </span>
                )}
              </span>
            </li>
          );
        })}
      </ul>
    </>
  );
};
