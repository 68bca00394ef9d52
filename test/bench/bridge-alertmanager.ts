export const alertmanagerRows = async (): Promise<string> => '';
