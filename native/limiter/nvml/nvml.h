// NVML's prototypes of the hooked functions; results are nvmlReturn_t.
#ifndef VGPU_NVML_H
#define VGPU_NVML_H

int nvmlDeviceGetMemoryInfo(void *device, void *memory);
int nvmlDeviceGetMemoryInfo_v2(void *device, void *memory);
int nvmlDeviceGetUtilizationRates(void *device, void *utilization);
int nvmlDeviceGetComputeRunningProcesses(void *device, void *count, void *infos);
int nvmlDeviceGetComputeRunningProcesses_v2(void *device, void *count, void *infos);
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, void *count, void *infos);
int nvmlDeviceGetGraphicsRunningProcesses(void *device, void *count, void *infos);
int nvmlDeviceGetGraphicsRunningProcesses_v2(void *device, void *count, void *infos);
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, void *count, void *infos);
int nvmlDeviceGetProcessUtilization(void *device, void *samples, void *count, unsigned long long since);

#endif
