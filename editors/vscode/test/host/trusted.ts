import { discovery } from "./discovery";
import { calls } from "./calls";
import { drift } from "./drift";
import { features } from "./features";
import { runMocha } from "./mocha";
import { scripts } from "./scripts";
import { views } from "./views";

export const run = () =>
  runMocha(() => {
    discovery();
    features();
    views();
    scripts();
    calls();
    drift();
  });
