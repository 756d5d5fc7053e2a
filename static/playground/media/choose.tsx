// A choice of several with its name above it. Knows no page.

export interface Choice<T> {
  readonly value: T;
  readonly label: string;
}

export const Choose = <T extends string | number>(about: {
  id: string;
  label: string;
  value: T;
  choices: readonly Choice<T>[];
  onChoose: (value: T) => void;
}) => (
  <div class="field">
    <label for={about.id}>{about.label}</label>
    <select
      id={about.id}
      class="select fill"
      value={about.value}
      onChange={(event) => {
        const chosen = about.choices[event.currentTarget.selectedIndex];
        if (chosen) about.onChoose(chosen.value);
      }}
    >
      {about.choices.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  </div>
);

export const plain = <T extends string>(values: readonly T[]): Choice<T>[] =>
  values.map((value) => ({ value, label: value }));
