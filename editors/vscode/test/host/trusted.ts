import { discovery } from "./discovery";
import { features } from "./features";
import { runMocha } from "./mocha";
import { views } from "./views";

export const run = () =>
  runMocha(() => {
    discovery();
    features();
    views();
  });
