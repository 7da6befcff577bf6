import { Screen } from '../../ui/panel.tsx';
import { Charts } from './charts.tsx';
import { MaintenancePanel } from './maintenance-panel.tsx';
import { SandboxPanel } from './sandbox-panel.tsx';
import { ServicePanel } from './service-panel.tsx';
import { SettingsPanel } from './settings-panel.tsx';
import './system.css';

/** The service itself, and the machine it is on. */
export function SystemScreen() {
  return (
    <Screen name="System">
      <Charts />
      <div class="columns">
        <ServicePanel />
        <SandboxPanel />
      </div>
      <MaintenancePanel />
      <SettingsPanel />
    </Screen>
  );
}
