import { z } from 'zod';
import { route } from '../route.ts';
import * as views from '../views/project.ts';

const tag = 'Projects';

export const projects = {
  list: route({
    method: 'GET',
    path: '/v1/projects',
    summary: 'Projects with their quotas and what they use; all of them for administrators, else the own one',
    tag,
    scope: 'read',
    response: z.object({ items: z.array(views.project) }),
  }),
  set: route({
    method: 'PUT',
    path: '/v1/projects/:project',
    summary: 'Create a project, or change its quota, limit and rights',
    tag,
    scope: 'admin',
    params: z.object({ project: z.string() }),
    body: views.projectChange,
    response: views.project,
  }),
} as const;
