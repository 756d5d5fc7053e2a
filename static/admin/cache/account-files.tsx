// The single files that the site keeps for one account, asked for when its row is opened; each can be removed.
// Invariant: a file is removed only after a question.
import { useEffect } from "preact/hooks";
import { get, messageOf, post } from "../../shared/api.ts";
import { bytes, dateTime } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { useLoaded, Waiting } from "../../shared/loaded.tsx";
import { confirm } from "../../shared/modal.tsx";
import { toast } from "../../shared/toast.tsx";
import { say } from "./words.ts";

interface Asset {
  readonly id: string;
  readonly name: string;
  readonly content_type: string | null;
  readonly size: number | null;
  readonly created_at: string | number | null;
}

interface AccountAssets {
  readonly assets: readonly Asset[];
  readonly error: string | null;
}

const momentOf = (value: string | number | null): string => {
  const ms = typeof value === "number" ? (value < 1e11 ? value * 1000 : value) : Date.parse(value ?? "");
  return Number.isNaN(ms) || ms === 0 ? "–" : dateTime(ms);
};

export const AccountFiles = ({ token }: { token: string }) => {
  const loaded = useLoaded(async () => {
    const { tokens } = await get<{ tokens: readonly AccountAssets[] }>("/assets", { token });
    const [found] = tokens;
    if (!found) return [];
    if (found.error !== null) throw new Error(found.error);
    return found.assets;
  });
  useEffect(() => void loaded.reload(), [token]);
  const remove = async ({ id, name }: Asset) => {
    const text = say("deleteOnlineText", { name });
    if (!(await confirm({ title: say("deleteTitle"), text, action: say("delete"), danger: true }))) return;
    try {
      await post("/assets/delete-item", { token, asset_id: id });
      toast(say("removed", { n: 1 }));
    } catch (thrown) {
      toast(messageOf(thrown), "error");
    }
    await loaded.reload();
  };
  const assets = loaded.value.value;
  if (assets === null || loaded.problem.value !== null) return <Waiting loaded={loaded} lines={3} />;
  if (assets.length === 0) return <p class="muted">{say("none")}</p>;
  return (
    <ul class="asset-list">
      {assets.map((asset) => (
        <li key={asset.id} class="row">
          <span class="grow">
            <span class="ellipsis block" title={asset.name}>
              {asset.name}
            </span>
            <span class="muted small-text">
              {[asset.content_type, asset.size === null ? null : bytes(asset.size), momentOf(asset.created_at)]
                .filter((part) => part !== null)
                .join(" · ")}
            </span>
          </span>
          <button
            type="button"
            class="icon-button"
            aria-label={`${say("delete")} ${asset.name}`}
            title={say("delete")}
            onClick={() => void remove(asset)}
          >
            <Icon name="trash" />
          </button>
        </li>
      ))}
    </ul>
  );
};
