import { FakeOracle } from '../unit/backup/fake-oracle.ts';
import { FakeDatabase } from '../unit/writer/running-writer.ts';
import { ascending, type Rig } from './rig.ts';

/** The fake of the batch writer's tests. */
export async function fakeDatabaseRig(): Promise<Rig> {
  const first = new FakeDatabase();
  const { store } = first;
  store.keepsLedger = true;
  return {
    session: (stream) => new FakeDatabase(stream, first),
    withoutLedger: () => {
      store.keepsLedger = false;
      return first;
    },
    numbers: async () => ascending(store.rows),
    refuse: (values, index) => void first.refuses.add(values.numbers[index]!),
    spoil: (values, index) => void first.breaksBatch.add(values.numbers[index]!),
    loseAnswer: (how) => (store.losesAnswer = how),
    end: async () => {},
  };
}

/** The fake of the replay's tests. */
export async function fakeOracleRig(): Promise<Rig> {
  const oracle = new FakeOracle();
  oracle.refusedTag = 'refused';
  oracle.poisonTag = 'poison';
  const { store } = oracle;
  return {
    session: (stream) => oracle.session(stream),
    withoutLedger: () => {
      store.keepsLedger = false;
      return oracle.session('replay/none');
    },
    numbers: async () => ascending(oracle.numbers()),
    refuse: (values, index) => void (values.tags[index] = { ...values.tags[index]!, name: 'refused' }),
    spoil: (values, index) => void (values.tags[index] = { ...values.tags[index]!, name: 'poison' }),
    loseAnswer: (how) => (store.losesAnswer = how),
    end: async () => {},
  };
}
