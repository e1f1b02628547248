//! Every route of task.

mod approvals;
mod feedback;
mod recurring;
mod reviews;
mod runs;
mod service_levels;
mod tasks;
mod workflow_state;
mod workflows;

use bhiv_service::Service as _;
use bhiv_web::Api;

use crate::TaskService;
use crate::domain::task::TaskStatus;

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(TaskService::INFO)
        .post("/task/tasks", "Create a task", tasks::create)
        .get("/task/tasks", "List tasks", tasks::list)
        .get("/task/tasks/{id}", "Read a task", tasks::read)
        .patch("/task/tasks/{id}", "Change a task", tasks::patch)
        .get("/task/tasks/{id}/history", "List the changes of a task, the newest first", tasks::history)
        .post("/task/tasks/bulk", "Change many tasks, each by itself", tasks::bulk)
        .post("/task/recurring", "Have a task come again and again", recurring::create)
        .get("/task/recurring", "List recurring tasks, the newest first", recurring::list)
        .get("/task/recurring/{id}", "Read a recurring task", recurring::read)
        .get("/task/recurring/{id}/history", "List the versions of a recurring task", recurring::history)
        .patch("/task/recurring/{id}", "Change a recurring task", recurring::patch)
        .delete("/task/recurring/{id}", "Let a task come no more", recurring::delete)
        .get("/task/service-levels", "Read what is promised of tasks", service_levels::list)
        .put("/task/service-levels/{priority}", "Promise something of tasks", service_levels::put)
        .delete("/task/service-levels/{priority}", "Promise nothing any more", service_levels::delete)
        .post("/task/review", "Say how a completed task was done", reviews::create)
        .get("/task/reviews", "List reviews, the newest first", reviews::list)
        .get("/task/reviews/{id}", "Read a review", reviews::read)
        .get("/task/employees/{id}/performance", "What somebody did, and how well", reviews::performance)
        .get("/task/workflow-state", "Read where a task stands and how it came there", workflow_state::read)
        .put("/task/workflow-state", "Move a task", workflow_state::move_)
        .post("/task/feedback", "Say how an order went", feedback::create)
        .get("/task/feedback", "List feedback, the newest first", feedback::list)
        .get("/task/feedback/summary", "What customers say, counted", feedback::summary)
        .get("/task/feedback/{id}", "Read feedback", feedback::read)
        .patch("/task/feedback/{id}", "Change one's feedback", feedback::patch)
        .post("/task/workflows", "Add a workflow", workflows::create)
        .get("/task/workflows", "List workflows, the newest first", workflows::list)
        .get("/task/workflows/{id}", "Read a workflow", workflows::read)
        .get("/task/workflows/{id}/history", "List the versions of a workflow", workflows::history)
        .patch("/task/workflows/{id}", "Change a workflow", workflows::patch)
        .delete("/task/workflows/{id}", "Remove a workflow", workflows::delete)
        .post("/task/workflows/bulk", "Switch many workflows on or off, each by itself", workflows::bulk)
        .post(
            "/task/workflows/{id}/backtest",
            "Try a workflow on events that were heard",
            workflows::backtest,
        )
        .get("/task/runs/{id}", "Read what came of a workflow", runs::read)
        .post("/task/runs/{id}/retry", "Try again what did not come to its end", runs::retry)
        .post("/task/runs/{id}/cancel", "End a run that waits", runs::cancel)
        .post("/task/runs/bulk", "Retry or cancel many runs, each by itself", runs::bulk)
        .get("/task/approvals", "List what workflows ask people, the newest first", approvals::list)
        .get("/task/approvals/{id}", "Read what a workflow asks", approvals::read)
        .post("/task/approvals/{id}/decision", "Say yes or no to a workflow", approvals::decide)
        .get("/task/runs", "List what came of workflows, the newest first", runs::list)
        .states::<TaskStatus>()
}
